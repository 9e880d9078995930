import Findings
import Foundation
import Support

/// Reviews on their way to a worker: one JSON object a line, in a file of the job's own.
public enum ReviewFile {
    public static func lines(_ reviews: [SampleReview]) throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        return try reviews.reduce(into: Data()) { $0 += try encoder.encode($1) + Data("\n".utf8) }
    }

    /// - Parameters:
    ///   - samples: number of samples that indices may name.
    ///   - classes: number of classes that labels may name.
    /// - Throws: `Problem` `reviews-damaged`.
    public static func read(_ path: String, samples: Int, classes: Int) throws -> [SampleReview] {
        func damaged(_ detail: String) -> Problem {
            Problem(
                .internal, code: "reviews-damaged", title: "The reviews can't be read", detail: detail,
                location: "reviews_of")
        }
        guard let content = FileManager.default.contents(atPath: path) else { throw damaged("no file") }
        let decoder = JSONDecoder()
        var seen: Set<Int> = []
        return try content.split(separator: UInt8(ascii: "\n")).enumerated().map { line, bytes in
            guard let review = try? decoder.decode(SampleReview.self, from: bytes) else {
                throw damaged("line \(line + 1) is no review")
            }
            guard (0..<samples).contains(review.index), seen.insert(review.index).inserted,
                (review.decision == .relabel) == (review.label != nil),
                review.label.map({ (0..<classes).contains($0) }) ?? true
            else {
                throw damaged("line \(line + 1) is not possible for \(samples) samples, \(classes) classes")
            }
            return review
        }
    }
}
