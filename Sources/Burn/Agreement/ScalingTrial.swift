import Execution
import Findings
import Support
import Tensors

/// Whether another scaling of the images, of those that many models share, fits the model better than the one that is given.
///
/// Each is tried on a few of the images; the best of them is tested on others, so that the choice needs no correction.
struct ScalingTrial {
    let model: GraphModel
    let images: LabelledImages
    /// The order of the classes with which the given scaling is right the most often: what looks like another order may be
    /// what a wrong scaling does.
    let order: [Int]
    let token: CancellationToken

    /// The scalings that are tried.
    static func known(channels: Int) -> [(preset: ScalingPreset?, input: InputScaling)] {
        [(nil, InputScaling()), (nil, InputScaling(range: [0, 255]))]
            + ScalingPreset.allCases.filter { $0.fits(channels: channels) }.map { ($0, $0.scaling) }
    }

    /// - Parameters:
    ///   - explored: samples and what is predicted of them with the given scaling, to look for another one.
    ///   - fresh: others, to test it.
    func better(
        than explored: [Int: Int], _ fresh: [Int: Int], using random: inout SplitMix64,
        progress: (Int) -> Void
    ) throws -> SuggestedScaling? {
        let few = draw(AgreementSettings.scalingTrial, of: explored, using: &random)
        let rest = draw(AgreementSettings.scalingTest, of: fresh, using: &random)
        // Where all agree, nothing can be gained.
        guard few.contains(where: { !isRight($0) }) else { return nil }
        var best: (preset: ScalingPreset?, input: InputScaling, change: Change)?
        for (preset, input) in Self.known(channels: images.dataset.channels) {
            let change = try change(few, input, progress)
            if change.isPromising, change.balance > best?.change.balance ?? 0 {
                best = (preset, input, change)
            }
        }
        guard let best, !rest.isEmpty else { return nil }
        let found = try change(rest, best.input, progress)
        guard found.pValue <= AgreementSettings.falseRefusals else { return nil }
        let right = rest.count(where: isRight)
        return SuggestedScaling(
            input: best.input, preset: best.preset, samples: rest.count,
            share: Double(right + found.balance) / Double(rest.count),
            givenShare: Double(right) / Double(rest.count))
    }

    private typealias Answer = (sample: Int, predicted: Int)

    private func draw(_ count: Int, of answers: [Int: Int], using random: inout SplitMix64) -> [Answer] {
        answers.keys.sorted().shuffled(using: &random).prefix(count).sorted().map { ($0, answers[$0] ?? 0) }
    }

    private func isRight(_ answer: Answer) -> Bool {
        answer.predicted == order[Int(images.dataset.labels[answer.sample])]
    }

    /// Images that agree with one scaling only.
    private struct Change {
        var gained = 0
        var lost = 0
        var balance: Int { gained - lost }
        var isPromising: Bool {
            Double(gained) > AgreementSettings.scalingRate * Double(gained + lost)
        }
        /// How likely so many are gained, if two or fewer were for each that is lost (sign test).
        var pValue: Double {
            Statistics.binomialTail(gained, of: gained + lost, rate: AgreementSettings.scalingRate)
        }
    }

    private func change(
        _ answers: [Answer], _ input: InputScaling, _ progress: (Int) -> Void
    ) throws -> Change {
        let samples = answers.map(\.sample)
        let others = try model.answers(images.scaled(input), samples, token: token, progress: progress)
        var change = Change()
        for (answer, other) in zip(answers, others.predictions) {
            switch (isRight(answer), other == images.labels[answer.sample]) {
            case (false, true): change.gained += 1
            case (true, false): change.lost += 1
            default: break
            }
        }
        return change
    }
}

/// In the words of options.
extension SuggestedScaling {
    private var bounds: [String] { input.range.map { String(Int($0)) } }

    var words: String {
        if let preset { return "the preset \(preset.rawValue)" }
        return "pixels from \(bounds.joined(separator: " to ")), no mean and no std"
    }

    var json: String {
        if let preset { return #"{"preset": "\#(preset.rawValue)"}"# }
        return #"{"range": [\#(bounds.joined(separator: ", "))]}"#
    }

    var flags: String {
        if let preset { return "--preset \(preset.rawValue)" }
        return "--range \(bounds.joined(separator: ",")), and no preset, mean or std"
    }
}
