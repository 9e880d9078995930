import Findings
import JobStore

/// A sample as the API shows it.
struct SampleResource: Encodable {
    var sample: StoredSample

    init(_ sample: StoredSample) { self.sample = sample }

    private enum CodingKeys: String, CodingKey {
        case review
    }

    private struct Review: Encodable {
        var review: SampleReview

        enum CodingKeys: String, CodingKey {
            case decision, label
        }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(review.decision, forKey: .decision)
            try container.encode(review.label, forKey: .label)
        }
    }

    func encode(to encoder: any Encoder) throws {
        try sample.finding.encode(to: encoder)
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(sample.review.map { Review(review: $0) }, forKey: .review)
    }
}
