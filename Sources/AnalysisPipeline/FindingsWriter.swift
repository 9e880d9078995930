import Burn
import Findings
import Foundation
import Support
import WorkerProtocol

/// Per-sample findings: as messages to the service, and as the corrected labels' CSV.
struct FindingsWriter {
    let images: LabelledImages
    let table: AnalysisTable
    let diagnosis: Diagnosis
    let restoration: LabelRestoration
    /// Detection's flags, with what refinement added and without what it cleared.
    let flagged: [Bool]

    private static let batch = 1000

    func finding(_ sample: Int) -> SampleFinding {
        let restored = flagged[sample] ? restoration.restored(sample) : (images.labels[sample], nil)
        return SampleFinding(
            index: sample, name: images.dataset.name(of: sample), givenLabel: images.labels[sample],
            predictedLabel: Int(table.predicted[sample]), boundaryDistance: table.exactDistance(sample),
            adversarialLabel: table.metLabel(sample), coherence: diagnosis.coherence[sample],
            score: score(sample),
            flagged: flagged[sample],
            restoredLabel: restored.label, labelConfidence: restored.confidence)
    }

    /// On the side of 1/2 that the flag says, where a purification has changed it.
    private func score(_ sample: Int) -> Double {
        let score = diagnosis.scores[sample]
        if flagged[sample] { return max(score, 0.5) }
        return diagnosis.flagged[sample] ? min(score, 0.5.nextDown) : score
    }

    func report(_ send: (WorkerMessage) -> Void) {
        for start in stride(from: 0, to: images.count, by: Self.batch) {
            send(.samples((start..<min(start + Self.batch, images.count)).map(finding)))
        }
    }

    /// Columns: index, name, given_label, restored_label, flagged (0 or 1), label_confidence (empty where unknown).
    func writeLabels(to path: String) throws {
        var content = Data("index,name,given_label,restored_label,flagged,label_confidence\r\n".utf8)
        for sample in 0..<images.count {
            let row = finding(sample)
            content.append(
                contentsOf:
                    "\(sample),\(CSVField.text(row.name)),\(row.givenLabel),\(row.restoredLabel),\(row.flagged ? 1 : 0),\(CSVField.number(row.labelConfidence))\r\n"
                    .utf8)
        }
        try DurableFile.write(content, to: path)
    }
}
