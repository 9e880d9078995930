import Foundation

/// Sizes as people write them: `512`, `64 MiB`, `2GiB`, `1.5 GB`.
enum ByteSize {
    private static let units: [(suffix: String, bytes: Double)] = [
        ("kib", 0x1p10), ("mib", 0x1p20), ("gib", 0x1p30), ("tib", 0x1p40),
        ("kb", 1e3), ("mb", 1e6), ("gb", 1e9), ("tb", 1e12), ("b", 1),
    ]

    /// Nil for text that is no size, is negative, or does not fit.
    static func parse(_ text: String) -> Int? {
        let lower = text.lowercased()
        let unit = units.first { lower.hasSuffix($0.suffix) }
        let number = lower.dropLast(unit?.suffix.count ?? 0).trimmingCharacters(in: .whitespaces)
        if unit == nil { return Int(number).flatMap { $0 >= 0 ? $0 : nil } }
        guard let value = Double(number), value >= 0, value.isFinite else { return nil }
        let bytes = (value * (unit?.bytes ?? 1)).rounded()
        return bytes < 0x1p62 ? Int(bytes) : nil
    }
    /// In the largest unit that leaves no fraction.
    static func text(_ bytes: Int) -> String {
        let names = ["TiB", "GiB", "MiB", "KiB"]
        for (name, unit) in zip(names, [1 << 40, 1 << 30, 1 << 20, 1 << 10])
        where bytes >= unit && bytes.isMultiple(of: unit) {
            return "\(bytes / unit) \(name)"
        }
        return String(bytes)
    }
}
