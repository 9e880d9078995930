import Foundation
import Support

/// One model of the benchmark: how its data is poisoned and how it is trained.
public struct BenchCase: Codable, Hashable, Sendable {
    /// Name of the data set.
    public var data: String
    /// Name of the network.
    public var architecture: String
    /// One of `Attack.names`; nil: nothing is poisoned.
    public var attack: String?
    /// Poisoned share of the training set; nil: `Attack.usualRate`.
    public var rate: Double?
    public var target: Int
    /// Of the images chosen, the poisoning, the initial weights and the order of training.
    public var seed: UInt64
    public var trainingImages: Int
    public var testImages: Int
    public var epochs: Int
    public var learningRate: Double

    public init(
        data: String, architecture: String, attack: String?, rate: Double? = nil, target: Int = 0,
        seed: UInt64 = 1, trainingImages: Int = 10_000, testImages: Int = 2_000, epochs: Int = 12,
        learningRate: Double = 0.05
    ) {
        self.data = data
        self.architecture = architecture
        self.attack = attack
        self.rate = rate
        self.target = target
        self.seed = seed
        self.trainingImages = trainingImages
        self.testImages = testImages
        self.epochs = epochs
        self.learningRate = learningRate
    }

    /// Its folder's name: everything that the trained model depends on.
    public var name: String {
        var parts = [data, architecture, attack ?? "clean"]
        if let rate, attack != nil { parts.append("r\(rate)") }
        if attack != nil, target != 0 { parts.append("t\(target)") }
        parts += ["n\(trainingImages)", "e\(epochs)", "s\(seed)"]
        if learningRate != 0.05 { parts.append("lr\(learningRate)") }
        return parts.joined(separator: "-")
    }

    /// Of the job that purifies the model. Not the attacker's, or the job would draw the numbers that the samples to be
    /// poisoned were drawn with.
    var jobSeed: UInt64 { seed &+ 1_000_003 }

    /// The same network and data without an attack.
    public var clean: BenchCase {
        var result = self
        result.attack = nil
        result.rate = nil
        result.target = 0
        return result
    }

    /// - Throws: `attack-unknown`, `poison-plan-impossible`.
    func poisonedData(training: CleanImages, test: CleanImages) throws(Problem) -> PoisonedData {
        let classes = training.classes.count
        var simulated: Attack?
        if let attack {
            guard (0..<classes).contains(target),
                let known = Attack.named(attack, target: target, classes: classes, seed: seed)
            else {
                throw Problem(
                    .malformed, code: "attack-unknown", title: "There is no such attack",
                    detail: "`\(attack)` into class \(target) of \(classes).",
                    fix: "Choose one of \(Attack.names.joined(separator: ", ")), and a class of the data set."
                )
            }
            simulated = known
        }
        return try PoisonedData(
            attack: simulated, rate: rate ?? simulated?.usualRate(classes: classes) ?? 0, training: training,
            test: test, seed: seed)
    }
}

/// Where a case's files are.
public struct CaseFolder: Sendable {
    public let url: URL

    /// Packed data sets.
    public var training: URL { url.appending(path: "train") }
    public var cleanTest: URL { url.appending(path: "test-clean") }
    public var triggeredTest: URL { url.appending(path: "test-triggered") }
    public var perturbed: URL { url.appending(path: "perturbed") }
    /// JSON: class name to model output.
    public var classes: URL { url.appending(path: "classes.json") }
    /// Columns: name, given label, true label, role.
    public var truth: URL { url.appending(path: "truth.csv") }
    public var model: URL { url.appending(path: "model.pt2") }
    /// What the trained model reaches.
    public var before: URL { url.appending(path: "before.json") }

    public func results(_ label: String) -> URL { url.appending(path: "results/\(label)") }
}

func isThere(_ url: URL) -> Bool { FileManager.default.fileExists(atPath: url.path) }

func writeJSON(_ value: some Encodable, to url: URL) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    try encoder.encode(value).write(to: url, options: .atomic)
}

func readJSON<Value: Decodable>(_ type: Value.Type = Value.self, from url: URL) throws -> Value {
    try JSONDecoder().decode(type, from: Data(contentsOf: url))
}
