import Findings

@testable import Burn

extension Judge {
    /// The defaults, for ten classes.
    static let standard = Judge(Parameters(), classes: 10)
}
