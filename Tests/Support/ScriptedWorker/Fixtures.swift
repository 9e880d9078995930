import Findings

/// Made-up results.
enum Fixtures {
    static func sample(_ index: Int) -> SampleFinding {
        let flagged = index % 10 == 0
        return SampleFinding(
            index: index, name: "\(index % 3)/\(index).png", givenLabel: index % 3, predictedLabel: 0,
            boundaryDistance: Double(index % 7) / 7, adversarialLabel: 1, coherence: 0.5,
            score: flagged ? 0.9 : 0.1, flagged: flagged, restoredLabel: flagged ? 2 : index % 3)
    }

    /// `%1B;` stands for the character with that number.
    static func unescaped(_ text: String) -> String {
        text.replacing(/%([0-9A-F]+);/) { match in
            UInt32(match.1, radix: 16).flatMap(Unicode.Scalar.init).map { String(Character($0)) } ?? ""
        }
    }

    static let verdict = Verdict(
        result: .backdoored, targetClasses: [0], kind: .allToOne, poisonedSamples: 10, poisonRate: 0.1,
        poisonRateInterval: [0.05, 0.15], confidence: 0.99, detectableRate: 0.01,
        evidence: Evidence(classes: [], statements: ["scripted"]))

    static func model(side: Int, classes: Int = 3) -> ModelSummary {
        ModelSummary(
            format: "pt2", inputShape: [nil, 3, side, side], inputType: "float32", classes: classes,
            parameters: 10,
            operators: ["aten.conv2d": 1])
    }

    static func dataset(side: Int, samples: Int = 2) -> DatasetSummary {
        DatasetSummary(
            format: "image-folder/zip", samples: samples, height: side, width: side, channels: 3,
            classes: [
                .init(name: "a", samples: samples / 2), .init(name: "b", samples: samples - samples / 2),
            ],
            skipped: [],
            skippedTotal: 0, packedBytes: samples * 3 * side * side)
    }
}
