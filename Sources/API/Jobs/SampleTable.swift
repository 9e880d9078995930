import Findings
import Foundation
import JobStore

/// Per-sample findings as rows of text.
public enum SampleTable {
    public static let header =
        "index,name,given_label,predicted_label,boundary_distance,adversarial_label,coherence,score,flagged,restored_label,"
        + "label_confidence\r\n"
    public static let labelsHeader = "index,name,given_label,restored_label,flagged,label_confidence\r\n"

    /// A row of CSV.
    public static func row(_ sample: SampleFinding) -> String {
        "\(sample.index),\(CSVField.text(sample.name)),\(sample.givenLabel),\(sample.predictedLabel),"
            + "\(CSVField.number(sample.boundaryDistance)),\(CSVField.number(sample.adversarialLabel)),"
            + "\(sample.coherence),\(sample.score),"
            + "\(sample.flagged),\(sample.restoredLabel),\(CSVField.number(sample.labelConfidence))\r\n"
    }

    /// A row of the corrected labels.
    public static func labelsRow(_ sample: SampleFinding) -> String {
        "\(sample.index),\(CSVField.text(sample.name)),\(sample.givenLabel),\(sample.restoredLabel),\(sample.flagged),"
            + "\(CSVField.number(sample.labelConfidence))\r\n"
    }

    /// A row of NDJSON.
    public static func jsonLine(_ sample: SampleFinding) throws -> Data {
        try JSON.data(sample) + Data("\n".utf8)
    }
}
