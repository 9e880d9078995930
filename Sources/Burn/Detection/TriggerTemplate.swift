import Evaluation
import Tensors

/// Finds planted samples that the model itself failed on: they carry the trigger and the target's label, but
/// are predicted as something else, so their perturbations say nothing. What a small trigger barely changes (a white
/// square on a white background) stands apart in no direction of the whole image either (`ImageBundle`).
///
/// The trigger is looked for in the image: a linear discriminant between the flagged samples and trusted ones
/// of other classes (per-value means and pooled deviations, Fisher 1936), restricted to the values where the
/// moment estimate found the trigger. A match needs the score that nearly all flagged samples reach and nearly
/// no trusted sample does; where no such score exists, nothing is matched.
enum TriggerTemplate {
    /// Share of flagged samples that may lie below the cut, and of trusted ones that may lie above it.
    private static let missed = 0.05
    private static let falseMatches = 0.002
    private static let mostCompared = 2000
    /// Evidence that a match is planted, 0 to 1.
    static let score = 1 - missed

    /// The samples that match.
    static func matches(
        in outcome: Detection.Outcome, images: LabelledImages, table: AnalysisTable
    ) throws -> [Int] {
        var matches: [Int] = []
        for finding in outcome.targets {
            guard let trigger = finding.trigger, trigger.momentNorm > 0 else { continue }
            let label = finding.label
            let planted = (0..<images.count).filter {
                images.labels[$0] == label && outcome.flagged[$0]
            }
            let candidates = (0..<images.count).filter {
                images.labels[$0] == label && !outcome.flagged[$0] && Int(table.predicted[$0]) != label
            }
            let trusted = (0..<images.count).filter {
                images.labels[$0] != label && Int(table.predicted[$0]) == images.labels[$0]
            }
            guard planted.count >= ClassFinding.smallestCluster, !candidates.isEmpty, !trusted.isEmpty else {
                continue
            }
            let (inside, outside) = (
                Array(planted.prefix(mostCompared)), Array(trusted.prefix(mostCompared))
            )
            let template = try Discriminant(Moments(images, inside), Moments(images, outside), trigger)
            let own = try template.scores(images, inside)
            let other = try template.scores(images, outside)
            let cut = Statistics.quantile(own, missed)
            let above = Double(other.count { $0 >= cut }) / Double(other.count)
            guard above <= falseMatches else { continue }
            matches += zip(candidates, try template.scores(images, candidates)).filter { $0.1 >= cut }.map(
                \.0)
        }
        return matches
    }

    private struct Discriminant {
        let weights: Tensor

        init(_ planted: Moments, _ trusted: Moments, _ trigger: TriggerEstimate) throws {
            let variance = try planted.deviation().square() + trusted.deviation().square() + 1e-3
            let touched = try (trigger.gain .< 1) | (trigger.shift .!= 0)
            weights = try touched.choose((planted.mean - trusted.mean) / variance, 0.0).flatten()
        }

        func scores(_ images: LabelledImages, _ indices: [Int]) throws -> [Double] {
            var scores: [Double] = []
            for start in stride(from: 0, to: indices.count, by: 512) {
                let part = Array(indices[start..<min(start + 512, indices.count)])
                let rows = try images.batch(part).contiguous().flatten(from: 1)
                scores += try rows.matmul(weights).array(as: Float.self).map(Double.init)
            }
            return scores
        }
    }
}
