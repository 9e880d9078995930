import Support

/// What is known of one training sample.
public struct SampleTruth: Codable, Hashable, Sendable {
    /// Its true class.
    public var label: Int
    public var role: SampleRole

    public init(label: Int, role: SampleRole) {
        self.label = label
        self.role = role
    }

    public var isPoisoned: Bool { role == .poisoned }

    /// The name under which a sample was written, out of its path in an archive.
    public static func name(ofEntry path: String) -> String {
        let file = path.split(separator: "/").last ?? ""
        return String(file.prefix { $0 != "." })
    }
}

/// A clean data set and an attack on it: the poisoned training set, and test sets without and with the
/// trigger.
public struct PoisonedData: Sendable {
    /// Nil: nothing is poisoned.
    public let attack: Attack?
    public let training: CleanImages
    public let test: CleanImages
    public let plan: PoisonPlan

    /// - Throws: `poison-plan-impossible`.
    public init(
        attack: Attack?, rate: Double, training: CleanImages, test: CleanImages, seed: UInt64
    ) throws(Problem) {
        self.attack = attack
        self.training = training
        self.test = test
        let classes = training.classes.count
        if let attack {
            plan = try attack.plan(trueLabels: training.labels, classes: classes, rate: rate, seed: seed)
        } else {
            plan = try PoisonPlan(
                trueLabels: training.labels, classes: classes, rule: .allToAll, rate: 0, seed: seed)
        }
    }

    /// By sample name.
    public var truth: [String: SampleTruth] {
        Dictionary(
            uniqueKeysWithValues: training.labels.indices.map {
                (Self.name($0), SampleTruth(label: training.labels[$0], role: plan.role(of: $0)))
            })
    }

    public static func name(_ index: Int, of set: String = "train") -> String { "\(set)-\(index)" }

    /// - Parameter perturbed: gives the adversarially perturbed image of a poisoned sample, where the attack
    ///   asks for that.
    public func writeTraining(
        to sink: some SampleSink, perturbed: (Int) throws -> ByteImage? = { _ in nil },
        progress: (Double) throws -> Void = { _ in }
    ) throws {
        for index in training.labels.indices {
            var image = training.image(index)
            if let attack {
                if plan.role(of: index) == .poisoned, let moved = try perturbed(index) { image = moved }
                image = attack.trainingImage(image, at: index, in: plan) { training.image($0) }
            }
            try sink.add(
                image, className: training.classes[plan.givenLabels[index]], name: Self.name(index))
            if index % 256 == 255 { try progress(Double(index + 1) / Double(training.count)) }
        }
    }

    /// Test images under their true classes: all of them as they are, and with the trigger those that the
    /// attacker wants in another class.
    public func writeTests(clean: some SampleSink, triggered: some SampleSink) throws {
        for (index, label) in test.labels.enumerated() {
            let image = test.image(index)
            let name = Self.name(index, of: "test")
            try clean.add(image, className: test.classes[label], name: name)
            guard let attack, attack.rule.countsForSuccess(label, classes: test.classes.count) else {
                continue
            }
            try triggered.add(attack.triggered(image, at: index), className: test.classes[label], name: name)
        }
    }
}
