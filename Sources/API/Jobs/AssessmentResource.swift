import Findings
import JobStore

/// A series over the steps of a phase, as the API shows it.
struct CurveResource: Encodable {
    var curve: Curve

    enum CodingKeys: String, CodingKey {
        case phase, round, name, points
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(curve.phase, forKey: .phase)
        try container.encode(curve.round, forKey: .round)
        try container.encode(curve.name, forKey: .name)
        try container.encode(curve.points.map { [Double($0.step), $0.value] }, forKey: .points)
    }
}

/// What `GET /v1/jobs/{id}/assessment` answers.
struct AssessmentResource: Encodable {
    var evaluation: Assessment.Comparison?
    var holdout: Assessment.Comparison?
    var labelsChanged: Int

    enum CodingKeys: String, CodingKey {
        case evaluation, holdout
        case labelsChanged = "labels_changed"
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(evaluation.map { ComparisonResource(comparison: $0) }, forKey: .evaluation)
        try container.encode(holdout.map { ComparisonResource(comparison: $0) }, forKey: .holdout)
        try container.encode(labelsChanged, forKey: .labelsChanged)
    }
}

/// With nulls for what there is not.
private struct ComparisonResource: Encodable {
    var comparison: Assessment.Comparison

    private struct ClassResource: Encodable {
        var accuracy: Assessment.ClassAccuracy

        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: Assessment.ClassAccuracy.CodingKeys.self)
            try container.encode(accuracy.label, forKey: .label)
            try container.encode(accuracy.name, forKey: .name)
            try container.encode(accuracy.before, forKey: .before)
            try container.encode(accuracy.after, forKey: .after)
        }
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Assessment.Comparison.CodingKeys.self)
        try container.encode(comparison.samples, forKey: .samples)
        try container.encode(
            comparison.classes.map { ClassResource(accuracy: $0) }, forKey: .classes)
        try container.encode(comparison.confusionBefore, forKey: .confusionBefore)
        try container.encode(comparison.confusionAfter, forKey: .confusionAfter)
    }
}

/// A list that has no pages.
struct ItemsResource<Item: Encodable>: Encodable {
    var items: [Item]
}
