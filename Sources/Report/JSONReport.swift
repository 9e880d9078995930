import Foundation

/// A report as JSON (docs/burn-report-1.schema.json).
public enum JSONReport {
    /// Members sorted by name, so that equal reports are equal byte for byte.
    public static func render(_ report: JobReport) throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return try encoder.encode(report) + Data("\n".utf8)
    }
}
