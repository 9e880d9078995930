import Execution
import Findings
import PackedDataset
import Support
import Tensors
import Testing
import TinyModels
import WorkerProtocol

@testable import Burn

/// A network that says what one pixel tells it to, and labels that differ from that.
@Suite struct InputAgreementTests {
    private static let side = 4
    private static let values = 3 * 16
    private static let count = 1_500

    /// - Parameters:
    ///   - names: of the set's classes.
    ///   - samples: the class of each, and what the network predicts.
    ///   - bias: of output 0, which is predicted instead of what a weak pixel says, unless pixels are scaled up.
    private func finding(
        _ names: [String], outputs: Int, _ samples: [(given: Int, predicted: Int)], seed: UInt64 = 1,
        mapping: [String: Int]? = nil, bias: Float = 0, isWeak: (Int) -> Bool = { _ in false },
        input: InputScaling = InputScaling()
    ) throws -> AgreementFinding {
        let folder = try ScratchFolder()
        let writer = try PackedDatasetWriter(
            directory: folder.file("set"), height: Self.side, width: Self.side, channels: 3)
        for (place, sample) in samples.enumerated() {
            var levels = [UInt8](repeating: 0, count: Self.values)
            levels[3 * (sample.predicted % 16) + sample.predicted / 16] = isWeak(place) ? 100 : 255
            try levels.withUnsafeBytes {
                try writer.append($0, className: names[sample.given], name: "\(place).png")
            }
        }
        _ = try writer.finish(format: "test")
        var weights = [Float](repeating: 0, count: outputs * Self.values)
        for label in 0..<outputs { weights[label * Self.values + label / 16 * 16 + label % 16] = 10 }
        let model = try TinyGraph.linear(
            weight: Tensor(weights, shape: [outputs, Self.values]),
            bias: Tensor([bias] + [Float](repeating: 0, count: outputs - 1)), channels: 3, side: Self.side)
        let images = try LabelledImages(
            PackedDataset(directory: folder.file("set")), for: model.graph,
            options: JobOptions(input: input, classes: mapping))
        return try InputAgreement(model: model, images: images, token: CancellationToken()).measure(
            seed: seed)
    }

    private static let cifar = [
        "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
    ]

    /// Samples of ten classes whose predictions `answer` makes of the class and of a number from 0 to 1.
    private func samples(
        seed: UInt64, classes: Int = 10, _ answer: (Int, Double, inout SplitMix64) -> Int
    ) -> [(given: Int, predicted: Int)] {
        var random = SplitMix64(seed: seed)
        return (0..<Self.count).map { place in
            let given = place % classes
            let number = random.unit()
            return (given, answer(given, number, &random))
        }
    }

    // MARK: What is in order

    struct Situation: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var answer: @Sendable (Int, Double, inout SplitMix64) -> Int
    }

    static let inOrder: [Situation] = [
        .init(testDescription: "right") { given, _, _ in given },
        .init(testDescription: "a fifth of the labels are noise") { given, number, random in
            number < 0.2 ? random.below(10) : given
        },
        .init(testDescription: "a weak model") { given, number, random in
            number < 0.4 ? given : number < 0.6 ? (given * 7 + 3) % 10 : random.below(10)
        },
        .init(testDescription: "cats are dogs") { given, number, _ in
            given == 3 && number < 0.6 ? 5 : given == 5 && number < 0.1 ? 3 : given
        },
        .init(testDescription: "cats and dogs can't be told apart") { given, _, random in
            given == 3 || given == 5 ? (random.below(2) == 0 ? 3 : 5) : given
        },
        .init(testDescription: "most of all classes are taken for one") { given, number, _ in
            number < 0.7 ? 8 : given
        },
        .init(testDescription: "a tenth of each class is the next one's") { given, number, _ in
            number < 0.1 ? (given + 9) % 10 : given
        },
        .init(testDescription: "one class is another altogether") { given, _, _ in given == 2 ? 7 : given },
        .init(testDescription: "three classes are never predicted") { given, number, random in
            [1, 3, 6].contains(given) ? [0, 2, 4, 5, 7, 8, 9][random.below(7)] : given
        },
    ]

    @Test(arguments: inOrder) func whatIsInOrderIsNotRefused(_ situation: Situation) throws {
        for seed in UInt64(1)...4 {
            let found = try finding(
                Self.cifar, outputs: 10, samples(seed: seed, situation.answer), seed: seed)
            #expect(found.problem == nil && found.orders.isEmpty, "\(found)")
            #expect(found.agreement.samples == Self.count)
        }
    }

    /// Confusions drawn at random, of models that are right 30 to 60 % of the time.
    @Test func weakModelsAreNotRefused() throws {
        var refused = 0
        for seed in UInt64(1)...20 {
            var random = SplitMix64(seed: 100 + seed)
            let right = (0..<10).map { _ in random.uniform(0.3..<0.6) }
            let favourites = (0..<10).map { _ in random.below(10) }
            let drawn = samples(seed: seed) { given, number, random in
                number < right[given] ? given : random.below(2) == 0 ? favourites[given] : random.below(10)
            }
            if try finding(Self.cifar, outputs: 10, drawn, seed: seed).problem != nil { refused += 1 }
        }
        #expect(refused == 0)
    }

    @Test func aMissingClassIsNoReasonToRefuse() throws {
        let names = (0..<43).filter { $0 != 17 }.map { $0 < 10 ? "0\($0)" : "\($0)" }
        let drawn = samples(seed: 3, classes: 42) { given, number, random in
            number < 0.9 ? (given < 17 ? given : given + 1) : random.below(43)
        }
        let found = try finding(names, outputs: 43, drawn)
        #expect(found.problem == nil && found.agreement.classOrder == .numbers, "\(found)")
        #expect(found.agreement.classes[20].label == 21)
    }

    /// Half of the set is mislabelled: what an attacker draws with the job's seed, and as many as the job asks about.
    @Test(arguments: [1, 2, 42] as [UInt64])
    func anAttackersDrawIsNotTheJobs(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let poisoned = Set(random.sample(1024, outOf: 2_000))
        let drawn = (0..<2_000).map { place in
            (given: poisoned.contains(place) ? (place + 1) % 3 : place % 3, predicted: place % 3)
        }
        #expect(try finding(["a", "b", "c"], outputs: 3, drawn, seed: seed).problem == nil)
    }

    // MARK: What is not

    /// What a model predicts that is right three times of four, if class `c` is output `order[c]`.
    private func misordered(_ order: [Int], outputs: Int, seed: UInt64) -> [(given: Int, predicted: Int)] {
        samples(seed: seed, classes: order.count) { given, number, random in
            number < 0.76 ? order[given] : random.below(outputs)
        }
    }

    @Test func namesWithCapitalsAreFoundByTheirOrder() throws {
        let names = [
            "Airplane", "Bird", "Deer", "Frog", "automobile", "cat", "dog", "horse", "ship", "truck",
        ]
        let truth = names.map { Self.cifar.firstIndex(of: $0.lowercased()) ?? 0 }
        let found = try finding(names, outputs: 10, misordered(truth, outputs: 10, seed: 1))
        let problem = try #require(found.problem)
        #expect(problem.code == "model-dataset-disagree" && problem.location == "options.classes")
        #expect(problem.fix?.contains(#""automobile":1"#) == true)
        #expect(problem.fix?.contains("accept_disagreement") == true)
        #expect(found.orders.map(\.kind) == [.caseInsensitive])
        #expect(found.orders.first?.classes == Dictionary(uniqueKeysWithValues: zip(names, truth)))
        #expect(abs((found.orders.first?.share ?? 0) - 0.78) < 0.05)
        // With the order that was suggested, nothing is wrong.
        let again = try finding(
            names, outputs: 10, misordered(truth, outputs: 10, seed: 1), mapping: found.orders[0].classes)
        #expect(again.problem == nil && again.agreement.classOrder == .given)
    }

    @Test func numbersAreFoundByTheirValue() throws {
        let names = (1...10).map(String.init).sorted()
        let found = try finding(
            names, outputs: 10, misordered(names.map { (Int($0) ?? 0) - 1 }, outputs: 10, seed: 2))
        #expect(found.orders.map(\.kind) == [.natural])
        #expect(found.problem?.detail.contains("1, 2, … 10") == true)
    }

    @Test func twoClassesThatAreExchangedAreNamed() throws {
        var order = Array(0..<10)
        order.swapAt(3, 5)
        let found = try finding(Self.cifar, outputs: 10, misordered(order, outputs: 10, seed: 4))
        let problem = try #require(found.problem)
        #expect(problem.detail.contains(#""cat" and "dog" seem to be exchanged"#), "\(problem)")
        #expect(found.orders.map(\.kind) == [.assignment])
        #expect(found.orders.first?.classes["cat"] == 5 && found.orders.first?.classes["dog"] == 3)
        #expect(found.orders.first?.classes["bird"] == 2)
    }

    /// What a weak model shows of exchanged classes in a set of 2,000 images.
    @Test func anExchangeIsFoundInAWeakModelOfFewImages() throws {
        let shares = [3: [(5, 0.715), (3, 0.83)], 5: [(3, 0.55), (5, 0.75)]]
        for seed in UInt64(1)...4 {
            let drawn = samples(seed: seed) { given, number, random in
                shares[given]?.first { number < $0.1 }?.0 ?? (number < 0.75 ? given : random.below(10))
            }
            let found = try finding(Self.cifar, outputs: 10, drawn, seed: seed)
            let classes = found.orders.first?.classes
            #expect(classes?["cat"] == 5 && classes?["dog"] == 3, "\(found)")
        }
    }

    /// Classes that have no output of their own in the order that is supposed, some of them hard to tell.
    @Test func aClassThatIsHardToTellIsSuggestedWhereItIsSeen() throws {
        let order = [0, 17, 22, 31, 37, 39, 40, 41, 44, 47]
        let drawn = samples(seed: 7) { given, number, random in
            number < (given == 3 ? 0.45 : 0.75) ? order[given] : order[random.below(10)]
        }
        let found = try finding(Self.cifar, outputs: 48, drawn)
        #expect(found.orders.first?.classes == Dictionary(uniqueKeysWithValues: zip(Self.cifar, order)))
    }

    /// Two images say nothing, and nine that are all wrong do.
    @Test func fewImagesAreNoGuess() throws {
        let two = [(given: 0, predicted: 0), (given: 1, predicted: 1)]
        #expect(try finding(["a", "b"], outputs: 2, two).problem == nil)
        let none = (0..<9).map { (given: $0, predicted: ($0 + 1) % 9) }
        #expect(try finding(Self.cifar, outputs: 10, none).problem != nil)
    }

    @Test func anyOrderIsFound() throws {
        var random = SplitMix64(seed: 8)
        let order = random.sample(30, outOf: 40)
        let names = (0..<30).map { "class-\($0 < 10 ? "0" : "")\($0)" }
        let found = try finding(names, outputs: 40, misordered(order, outputs: 40, seed: 9))
        #expect(found.orders.first?.kind == .assignment)
        #expect(found.orders.first?.classes == Dictionary(uniqueKeysWithValues: zip(names, order)))
        #expect(found.problem?.fix?.contains("burnd check --json") == true)
    }

    /// Nine of ten folders: all behind the missing one stand one place too early.
    @Test func aMissingClassThatShiftsTheOthersIsFound() throws {
        var names = Self.cifar
        names.remove(at: 2)
        let order = Array(0..<10).filter { $0 != 2 }
        let found = try finding(names, outputs: 10, misordered(order, outputs: 10, seed: 5))
        #expect(found.orders.first?.classes == Dictionary(uniqueKeysWithValues: zip(names, order)))
    }

    @Test func guessingIsRefusedWithTheScaling() throws {
        let drawn = samples(seed: 6) { _, _, random in random.below(10) }
        let problem = try #require(try finding(Self.cifar, outputs: 10, drawn).problem)
        #expect(problem.location == "options.input" && problem.fix?.contains("--mean") == true)
    }

    /// Four of ten samples are too dark for a network that was trained on pixels from 0 to 255.
    @Test func aWrongScalingIsNamedWhereAnotherFits() throws {
        let drawn = samples(seed: 6) { given, number, random in number < 0.9 ? given : random.below(10) }
        let isWeak = { (place: Int) in place / 10 % 10 < 4 }
        let found = try finding(Self.cifar, outputs: 10, drawn, bias: 5, isWeak: isWeak)
        #expect(abs(found.agreement.share - 0.6) < 0.1)
        let problem = try #require(found.problem)
        #expect(problem.location == "options.input" && found.orders.isEmpty)
        #expect(problem.fix?.contains("--range 0,255") == true, "\(problem)")
        let scaling = try #require(found.scaling)
        #expect(scaling.input == InputScaling(range: [0, 255]) && scaling.preset == nil)
        #expect(scaling.samples == 512 && scaling.share > 0.88 && scaling.givenShare < 0.7)
        let right = try finding(
            Self.cifar, outputs: 10, drawn, bias: 5, isWeak: isWeak, input: scaling.input)
        #expect(right.problem == nil && right.scaling == nil)
    }

    /// The scaled-up pixels say what is given for some of the images, and for as many others they don't.
    @Test func aScalingThatGainsAndLosesAlikeIsNoBetter() throws {
        for seed in UInt64(1)...4 {
            let drawn = samples(seed: seed) { given, number, random in
                number < 0.5 ? given : 1 + random.below(9)
            }.enumerated().map { $0 % 2 == 0 ? (given: 0, predicted: $1.predicted) : $1 }
            let isWeak = { (place: Int) in place % 4 < 2 }
            let found = try finding(Self.cifar, outputs: 10, drawn, seed: seed, bias: 5, isWeak: isWeak)
            #expect(found.scaling == nil, "\(found)")
        }
    }

    @Test func scalingsFitTheChannels() {
        #expect(
            ScalingTrial.known(channels: 3).compactMap(\.preset) == [.imagenet, .cifar10, .cifar100, .half])
        #expect(ScalingTrial.known(channels: 1).compactMap(\.preset) == [.half, .mnist])
    }

    // MARK: Its parts

    @Test func aBinomialTailIsExact() {
        #expect(abs(Statistics.binomialTail(8, of: 10, rate: 0.5) - 56.0 / 1024) < 1e-12)
        #expect(abs(Statistics.binomialTail(1, of: 3, rate: 0.1) - 0.271) < 1e-12)
        #expect(Statistics.binomialTail(0, of: 5, rate: 0.2) == 1)
        #expect(abs(Statistics.binomialTail(1_024, of: 2_048, rate: 0.5) - 0.5088) < 1e-3)
        #expect(Statistics.binomialTail(2_000, of: 2_048, rate: 0.5) < 1e-300)
    }

    @Test func changesFallIntoCyclesAndChains() {
        let groups = Misplacement.between([0, 1, 2, 3, 4, 5], and: [1, 0, 2, 4, 7, 5])
        #expect(
            groups == [
                Misplacement(places: [3, 4], outputs: [4, 7], isCycle: false),
                Misplacement(places: [0, 1], outputs: [1, 0], isCycle: true),
            ])
        #expect(Misplacement.between([0, 1], and: [0, 1]).isEmpty)
    }

    @Test func samplesAreDealtEvenlyAndOnce() {
        var random = SplitMix64(seed: 1)
        let labels = (0..<100).map { $0 < 90 ? 0 : $0 < 98 ? 1 : 2 }
        var deck = SampleDeck(labels, classes: 3, using: &random)
        let first = deck.deal(30, among: [0, 1, 2], half: true)
        #expect(first.map(\.count) == [25, 4, 1])
        let second = deck.deal(50, among: [1, 2])
        #expect(second.map(\.count) == [0, 4, 1])
        let rest = deck.deal(1_000, among: [0, 1, 2])
        #expect((first + second + rest).flatMap(\.self).sorted() == Array(0..<100))
    }

    @Test func numbersInNamesAreComparedByValue() {
        let sorted = ["1", "2", "10", "a1b2", "a1b10", "a02", "a2", "b"]
        #expect(sorted.shuffled().sorted(by: KnownOrders.isNaturallyBefore) == sorted)
    }
}
