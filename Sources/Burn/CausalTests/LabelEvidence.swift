import Findings
import Foundation
import Support
import Tensors

/// Whether the given labels of what was planted into a class are true.
package enum LabelReading: String, Codable, Hashable, Sendable {
    /// They belong to other classes.
    case wrong
    /// They belong to the class: clean-label poison.
    case right
    /// The two can't be told apart.
    case open
}

/// What speaks for either reading of the planted samples' labels.
///
/// Samples that came from other classes make their target larger than the others; samples of the class itself leave it as large
/// as they are. Where classes are too unequal to tell, the model is asked: samples that came from other classes show these with
/// the usual certainty once the trigger is taken out. A class of which most was planted shows little then: the model knows it
/// by nothing else.
struct LabelEvidence: Hashable, Sendable {
    /// Samples with the class's label, and those among them that were not planted.
    var size: Int
    var rest: Int
    /// Of the classes that nothing was planted into, in the middle.
    var usualSize: Int
    /// Log of how much likelier the size is with the planted samples than without them. Nil where there are too few other
    /// classes, or what was planted changed their sizes as well.
    var sizeFactor: Double?
    /// Share of the planted samples that the model sees less surely, without the trigger, than nearly all known images which
    /// the same trigger was put into and taken out of. Nil where no trigger is known.
    var unsure: Double?

    /// A factor that is strong evidence decides by itself.
    func reading(_ parameters: Parameters) -> LabelReading {
        let strong = log(parameters.labelBayesFactor)
        return switch sizeFactor {
        case .some(strong...): .right
        case .some(..<(-strong)): .wrong
        default: (unsure ?? 0) > parameters.mostlyContradicted ? .open : .wrong
        }
    }

    /// Log of the ratio of two densities of Student's distribution: of the logarithm of `size`, and of that of `rest`, among
    /// those of `others`. These spread at least as counts do.
    static func sizeFactor(size: Int, rest: Int, others: [Int]) -> Double? {
        let logs = others.filter { $0 > 0 }.map { log(Double($0)) }
        guard logs.count > fewestOthers, size > 0 else { return nil }
        let mean = logs.reduce(0, +) / Double(logs.count)
        let freedom = Double(logs.count - 1)
        let variance = max(
            logs.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / freedom, exp(-Statistics.median(logs)))
        func logDensity(_ count: Int) -> Double {
            let difference = log(Double(max(1, count))) - mean
            let square = difference * difference / (variance * (1 + 1 / Double(logs.count)))
            return -(freedom + 1) / 2 * log(1 + square / freedom)
        }
        return logDensity(size) - logDensity(rest)
    }

    private static let fewestOthers = 2
}

extension TriggerSearch {
    /// - Parameters:
    ///   - planted: samples with the class's label that carry a trigger: this one, or another that was found there.
    ///   - affected: classes that something was planted into.
    ///   - sizes: number of samples with each label.
    func labelEvidence(
        of finding: ClassFinding, planted: [Int], affected: Set<Int>, sizes: [Int]
    ) throws -> LabelEvidence {
        let others = sizes.indices.filter { !affected.contains($0) && sizes[$0] > 0 }.map { sizes[$0] }
        let (size, rest) = (sizes[finding.label], sizes[finding.label] - planted.count)
        // What goes from class to class leaves all of them as large as they were.
        let isAlone = Self.mostAffected * affected.count <= images.classes
        return LabelEvidence(
            size: size, rest: rest, usualSize: Int(Statistics.median(others.map(Double.init))),
            sizeFactor: isAlone
                ? LabelEvidence.sizeFactor(size: size, rest: rest, others: others) : nil,
            unsure: try unsureShare(
                of: finding.judgement == .suspicious ? planted : finding.planted, beside: planted, finding))
    }

    private static let mostAffected = 4

    /// - Parameters:
    ///   - planted: samples that carry this trigger.
    ///   - all: these, and those that carry another one.
    private func unsureShare(
        of planted: [Int], beside all: [Int], _ finding: ClassFinding
    ) throws -> Double? {
        guard let trigger = finding.trigger, trigger.canBeRemoved else { return nil }
        var random = SplitMix64(seed: seed &+ UInt64(finding.label))
        let known = trusted(apartFrom: Set(all), using: &random)
            .filter { images.labels[$0] != finding.label }.prefix(Self.mostForRemoval)
        let asked = Array(planted.shuffled(using: &random).prefix(Self.mostForRemoval))
        guard known.count >= ClassCoherence.fewestMembers, !asked.isEmpty else { return nil }
        let usual = try certainties(Array(known), apartFrom: finding.label) {
            try trigger.removed(from: trigger.inserted(into: $0))
        }
        let shown = try certainties(asked, apartFrom: finding.label) { try trigger.removed(from: $0) }
        let least = Statistics.quantile(usual, judge.parameters.unsureQuantile)
        return Double(shown.count { $0 < least }) / Double(shown.count)
    }

    /// The largest probability of a class other than `label`, as a share of all of these.
    private func certainties(
        _ samples: [Int], apartFrom label: Int, _ changed: (Tensor) throws -> Tensor
    ) throws -> [Double] {
        try images.parts(of: samples).flatMap { part in
            let rows: [Float] = try model.forward(
                changed(images.batch(part)), mode: .inference, precision: .reduced, token: token
            ).softmax(1).array()
            return part.indices.map { row in
                let seen = rows[row * images.classes..<(row + 1) * images.classes]
                return Double(ClassOpinion(apartFrom: label, seen).largest)
            }
        }
    }
}
