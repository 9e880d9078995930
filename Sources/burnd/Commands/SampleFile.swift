import API
import Findings
import Foundation

/// A file of per-sample evidence, in the format that its name says.
struct SampleFile {
    enum Format: String {
        case csv, ndjson, json
    }

    var path: String
    var format: Format

    /// Nil for a name whose ending stands for no format.
    init?(path: String) {
        guard let format = Format(rawValue: URL(fileURLWithPath: path).pathExtension.lowercased()) else {
            return nil
        }
        self.path = path
        self.format = format
    }

    func write(_ samples: [SampleFinding]) throws {
        var text = Data()
        switch format {
        case .csv:
            text += Data(SampleTable.header.utf8)
            for sample in samples { text += Data(SampleTable.row(sample).utf8) }
        case .ndjson:
            for sample in samples { text += try SampleTable.jsonLine(sample) }
        case .json:
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
            text = try encoder.encode(samples) + Data("\n".utf8)
        }
        try text.write(to: URL(fileURLWithPath: path), options: .atomic)
    }
}
