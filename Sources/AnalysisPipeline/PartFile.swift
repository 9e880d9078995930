import Burn
import Findings
import Foundation
import Support
import WorkerProtocol

/// What a helper found of a part, in a file of its output directory.
enum PartFile {
    static func write(_ findings: SampleFindings, to path: String) throws {
        var columns = [
            ("samples", findings.samples.data), ("distances", findings.distances.data),
            ("directions", Data(findings.directions)), ("gradients", [findings.gradients].data),
        ]
        for (number, column) in findings.classes.enumerated() {
            columns.append(("classes-\(number)", column.data))
        }
        try ColumnFile.write(columns, to: path)
    }

    /// - Parameters:
    ///   - samples: those of the part: others are not taken, nor fewer.
    ///   - classes: that labels may name.
    ///   - rowBytes: of a direction.
    /// - Returns: nil where the file is not there, or not one for this part.
    static func read(
        _ path: String, stage: StageCost.Stage, samples: [Int], classes: Int, rowBytes: Int
    ) throws -> SampleFindings? {
        let count = samples.count
        guard let columns = try ColumnFile.read(path), let kinds = stage.columns,
            let written: [Int] = columns.column("samples", count: count), written == samples,
            let distances: [Float] = columns.column("distances", count: count * kinds.distances),
            let gradients: [Int] = columns.column("gradients", count: 1),
            (0...HelperRules.mostPasses).contains(gradients[0]),
            let directions = columns["directions"], directions.count == count * rowBytes
        else { return nil }
        var labels: [[Int32]] = []
        for number in 0..<kinds.classes {
            guard let column: [Int32] = columns.column("classes-\(number)", count: count),
                column.allSatisfy({ (0..<classes).contains(Int($0)) })
            else { return nil }
            labels.append(column)
        }
        return SampleFindings(
            samples: samples, classes: labels, distances: distances, directions: [UInt8](directions),
            gradients: gradients[0])
    }
}

enum HelperRules {
    /// Of one part; far beyond what any takes.
    static let mostPasses = 1 << 40
    /// Parts that a helper has at a time: the next is there when it has finished one.
    static let partsAhead = 2
}
