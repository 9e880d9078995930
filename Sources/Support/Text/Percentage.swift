import Foundation

/// A share as a percentage with three significant digits, such as `12.5 %`.
public func percent(_ share: Double) -> String { String(format: "%.3g %%", 100 * share) }

/// A share as a percentage with two decimals, such as `12.50 %`.
public func precisePercent(_ share: Double) -> String { String(format: "%.2f %%", 100 * share) }
