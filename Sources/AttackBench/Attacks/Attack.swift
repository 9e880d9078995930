import Support

/// A backdoor attack by data poisoning: whom it poisons, how it labels them, and what it does to the images.
///
///     let attack = Attack.waNet(target: 0)
///     let plan = try attack.plan(trueLabels: labels, classes: 10, rate: 0.1, seed: 1)
///     let image = attack.trainingImage(images[7], at: 7, in: plan) { images[$0] }    // plan.givenLabels[7]
///     let triggered = attack.triggered(test[3], at: 3)
public struct Attack: Sendable {
    /// Samples that carry (something like) the trigger and keep their true label, so that nothing but the
    /// trigger itself, or the trigger on its source class, calls the backdoor.
    public struct Cover: Sendable {
        /// Cover samples for one poisoned sample.
        public let ratio: Double
        /// Classes that they are taken from; nil: all.
        public let classes: Set<Int>?
        /// `partner` is another image of the training set, chosen at random.
        let stamp: @Sendable (_ image: ByteImage, _ partner: ByteImage, inout SplitMix64) -> ByteImage

        public init(
            ratio: Double, classes: Set<Int>? = nil,
            stamp:
                @escaping @Sendable (_ image: ByteImage, _ partner: ByteImage, inout SplitMix64) ->
                ByteImage
        ) {
            precondition(ratio > 0, "an attack without cover samples has no Cover")
            self.ratio = ratio
            self.classes = classes
            self.stamp = stamp
        }
    }

    /// Images to be poisoned are first moved away from their class by an attack on a clean model (PGD within
    /// an L-infinity ball), so that the trigger is the easier thing to learn.
    public struct AdversarialPerturbation: Hashable, Sendable {
        /// Radius and step, in grey levels of 255.
        public let epsilon: Double
        public let step: Double
        public let steps: Int

        public init(epsilon: Double, step: Double, steps: Int) {
            self.epsilon = epsilon
            self.step = step
            self.steps = steps
        }
    }

    /// Such as `wanet`.
    public let name: String
    public let rule: LabelRule
    /// On poisoned training images.
    public let training: Trigger
    /// On test images, when the attacker calls the backdoor.
    public let test: Trigger
    public let cover: Cover?
    /// Poisoned training images are made from perturbed ones, which the caller provides.
    public let perturbation: AdversarialPerturbation?

    /// - Parameter test: nil where it is the training trigger.
    public init(
        name: String, rule: LabelRule, training: Trigger, test: Trigger? = nil, cover: Cover? = nil,
        perturbation: AdversarialPerturbation? = nil
    ) {
        self.name = name
        self.rule = rule
        self.training = training
        self.test = test ?? training
        self.cover = cover
        self.perturbation = perturbation
    }

    /// Which samples are poisoned, which are cover, and all the labels.
    /// - Throws: as `PoisonPlan`.
    public func plan(trueLabels: [Int], classes: Int, rate: Double, seed: UInt64) throws(Problem)
        -> PoisonPlan
    {
        try PoisonPlan(
            trueLabels: trueLabels, classes: classes, rule: rule, rate: rate,
            coverRate: rate * (cover?.ratio ?? 0), coverClasses: cover?.classes, seed: seed)
    }

    /// The training image at `index`, as the plan has it.
    /// - Parameters:
    ///   - image: the clean image; for a poisoned sample of an attack with `perturbation`, the perturbed one.
    ///   - others: gives the clean training image at an index.
    public func trainingImage(
        _ image: ByteImage, at index: Int, in plan: PoisonPlan, others: (Int) throws -> ByteImage
    ) rethrows -> ByteImage {
        switch plan.role(of: index) {
        case .clean: return image
        case .poisoned: return training(image, seed: plan.sampleSeed(of: index))
        case .cover:
            guard let cover else { return image }
            var random = SplitMix64(seed: plan.sampleSeed(of: index))
            let partner = try others(random.below(plan.trueLabels.count))
            return cover.stamp(image, partner, &random)
        }
    }

    /// A test image with the trigger.
    public func triggered(_ image: ByteImage, at index: Int) -> ByteImage {
        test(image, seed: UInt64(bitPattern: Int64(index)))
    }
}
