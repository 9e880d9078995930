import Execution
import Findings
import Support
import Tensors

/// Whether the model and the data set belong together: a wrong normalisation or class order makes a working
/// model guess, and everything that is then said of it would be about the mistake.
///
/// One half of a bounded sample looks for an order of the classes that fits better, the other half, drawn then from the
/// classes in question, tests it.
public struct InputAgreement {
    let model: GraphModel
    let images: LabelledImages
    let token: CancellationToken

    public init(model: GraphModel, images: LabelledImages, token: CancellationToken) {
        self.model = model
        self.images = images
        self.token = token
    }

    /// Makes the draw one of its own: whoever planted samples with the same generator and seed drew from the same numbers.
    private static let stream: UInt64 = 0x1a9e_e3e5

    /// - Parameter progress: 0 to 1.
    public func measure(
        seed: UInt64, progress: @escaping (Double) -> Void = { _ in }
    ) throws -> AgreementFinding {
        let meter = Meter(expected: min(images.count, AgreementSettings.samples), report: progress)
        var random = SplitMix64(seed: seed, keys: Self.stream)
        let current = images.order.outputs
        var deck = SampleDeck(images.dataset.labels.map { Int($0) }, classes: current.count, using: &random)
        let everything = Array(current.indices)
        let none = AgreementTally(current: current, outputs: images.classes, sizes: deck.sizes)

        let explored = try ask(
            deck.deal(AgreementSettings.exploring, among: everything, half: true), none, meter)
        let candidates = Misplacement.between(current, and: explored.tally.bestOrder(moving: everything))
        let room = AgreementSettings.samples - explored.tally.total
        let doubted = candidates.flatMap(\.places)
        let tested = try ask(deck.deal(room, among: doubted.isEmpty ? everything : doubted), none, meter)
        let rest = try ask(deck.deal(room - tested.tally.total, among: everything), none, meter)
        let all = explored.tally + tested.tally + rest.tally

        let level = AgreementSettings.falseRefusals / 2
        let found = candidates.filter {
            $0.pValue(tested.tally) <= level / Double(candidates.count)
                && $0.guardedPValue(all) <= AgreementSettings.falseRefusals
        }
        // Once the order is known to be wrong, each class is suggested where it is seen.
        let moved =
            found.isEmpty ? [] : candidates.filter { $0.pValue(all) <= level / Double(candidates.count) }
        let orders = betterOrders(all, moving: moved.flatMap(\.places), level: level)
        let trial = ScalingTrial(
            model: model, images: images, order: orders.first?.order ?? current, token: token)
        let scaling = try trial.better(
            than: explored.predictions, tested.predictions.merging(rest.predictions) { first, _ in first },
            using: &random, progress: meter.count)
        return AgreementReport(
            tally: all, images: images, misplaced: scaling == nil ? found : [],
            orders: scaling == nil ? orders : [], scaling: scaling
        ).finding
    }

    /// Orders that fit better than the current one by more than chance, the best first: those that programs make, and the one
    /// that the predictions suggest unless that is one of them.
    private func betterOrders(
        _ tally: AgreementTally, moving misplaced: [Int], level: Double
    ) -> [(kind: SuggestedOrder.Kind, order: [Int])] {
        let known = KnownOrders.all(images.dataset.classes, outputs: images.classes).filter {
            $0.order != tally.current
        }
        var better = known.filter { _, order in
            let changes = Misplacement.between(tally.current, and: order)
            let whole = Misplacement(
                places: changes.flatMap(\.places), outputs: changes.flatMap(\.outputs), isCycle: true)
            return tally.share(of: order) > tally.share(of: tally.current)
                && whole.guardedPValue(tally) <= level / Double(known.count)
        }
        let places = misplaced.isEmpty && !better.isEmpty ? Array(tally.current.indices) : misplaced
        let suggested = tally.bestOrder(moving: places)
        if suggested != tally.current, !better.contains(where: { $0.order == suggested }) {
            better.append((.assignment, suggested))
        }
        return better.sorted { tally.share(of: $0.order) > tally.share(of: $1.order) }
    }

    private func ask(
        _ hands: [[Int]], _ empty: AgreementTally, _ meter: Meter
    ) throws -> (tally: AgreementTally, predictions: [Int: Int]) {
        var tally = empty
        let chosen = hands.flatMap(\.self).sorted()
        guard !chosen.isEmpty else { return (tally, [:]) }
        let answers = try model.answers(images, chosen, token: token, progress: meter.count)
        for (place, sample) in chosen.enumerated() {
            tally.add(
                of: Int(images.dataset.labels[sample]), predicted: answers.predictions[place],
                confidence: answers.confidence[place])
        }
        return (tally, Dictionary(zip(chosen, answers.predictions)) { first, _ in first })
    }

    /// Counts images that the model was asked about.
    private final class Meter {
        private let expected: Int
        private let report: (Double) -> Void
        private var asked = 0

        init(expected: Int, report: @escaping (Double) -> Void) {
            self.expected = max(1, expected)
            self.report = report
        }

        func count(_ images: Int) {
            asked += images
            report(min(1, Double(asked) / Double(expected)))
        }
    }
}

/// The samples of each class in random order, to be dealt out once each.
struct SampleDeck {
    private let decks: [[Int]]
    private var dealt: [Int]
    /// Classes in the order in which they get what is left over.
    private let turns: [Int]

    init(_ labels: [Int], classes: Int, using random: inout SplitMix64) {
        var decks = [[Int]](repeating: [], count: classes)
        for (sample, label) in labels.enumerated() { decks[label].append(sample) }
        self.decks = decks.map { $0.shuffled(using: &random) }
        dealt = Array(repeating: 0, count: classes)
        turns = Array(0..<classes).shuffled(using: &random)
    }

    var sizes: [Int] { decks.map(\.count) }

    /// Up to `count` samples, as equally many of each of `places` as there are.
    /// - Parameter half: leave half of each class.
    /// - Returns: samples by class.
    mutating func deal(_ count: Int, among places: [Int], half: Bool = false) -> [[Int]] {
        let wanted = Set(places)
        var open = turns.filter(wanted.contains)
        var hands = [[Int]](repeating: [], count: decks.count)
        var left = count
        while left > 0, !open.isEmpty {
            open.removeAll { dealt[$0] >= (half ? (decks[$0].count + 1) / 2 : decks[$0].count) }
            for place in open.prefix(left) {
                hands[place].append(decks[place][dealt[place]])
                dealt[place] += 1
            }
            left -= min(left, open.count)
        }
        return hands
    }
}
