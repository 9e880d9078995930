import Support
import Testing

@testable import AttackBench

/// What the papers define: which samples, which labels, which rates, how large a change.
@Suite struct AttackTests {
    static let labels = (0..<2_000).map { $0 * 7 % 10 }

    static func attack(_ name: String) throws -> Attack {
        try #require(Attack.named(name, target: 3, classes: 10, seed: 1_005))
    }

    static func image(_ index: Int) -> ByteImage { TriggerTests.image(UInt64(index)) }

    @Test(arguments: Attack.names)
    func theSameSeedGivesTheSameTrainingSet(name: String) throws {
        func set(_ seed: UInt64) throws -> [ByteImage] {
            let attack = try Self.attack(name)
            let rate = attack.usualRate(classes: 10)
            let plan = try attack.plan(trueLabels: Self.labels, classes: 10, rate: rate, seed: seed)
            #expect(plan == (try attack.plan(trueLabels: Self.labels, classes: 10, rate: rate, seed: seed)))
            return (plan.poisoned.prefix(2) + plan.cover.prefix(2)).map {
                attack.trainingImage(Self.image($0), at: $0, in: plan, others: Self.image)
            }
        }
        #expect(try set(1) == set(1))
        #expect(try set(1) != set(2))
    }

    @Test(arguments: Attack.names)
    func cleanSamplesStayAsTheyAreAndOthersChange(name: String) throws {
        let attack = try Self.attack(name)
        let plan = try attack.plan(
            trueLabels: Self.labels, classes: 10, rate: attack.usualRate(classes: 10), seed: 1)
        func training(_ index: Int) -> ByteImage {
            attack.trainingImage(Self.image(index), at: index, in: plan, others: Self.image)
        }
        for index in try [#require(plan.poisoned.first)] + plan.cover.prefix(1) {
            #expect(training(index) != Self.image(index))
        }
        let clean = try #require(Self.labels.indices.first { plan.role(of: $0) == .clean })
        #expect(training(clean) == Self.image(clean))
        #expect(attack.triggered(Self.image(0), at: 0) != Self.image(0))
    }

    @Test(arguments: Attack.names)
    func onlyPoisonedSamplesGetAnotherLabel(name: String) throws {
        let attack = try Self.attack(name)
        let rate = attack.usualRate(classes: 10)
        let plan = try attack.plan(trueLabels: Self.labels, classes: 10, rate: rate, seed: 1)
        #expect(plan.poisoned.count == Int((rate * 2_000).rounded()))
        #expect(plan.cover.count == Int((rate * (attack.cover?.ratio ?? 0) * 2_000).rounded()))
        #expect(Set(plan.cover).isDisjoint(with: plan.poisoned))
        for index in Self.labels.indices {
            switch plan.role(of: index) {
            case .poisoned:
                #expect(attack.rule.mayPoison(Self.labels[index]))
                #expect(plan.givenLabels[index] == attack.rule.label(for: Self.labels[index], classes: 10))
            case .cover, .clean: #expect(plan.givenLabels[index] == Self.labels[index])
            }
        }
    }

    @Test func unknownNamesAreNoAttack() {
        #expect(Attack.named("BadNets", target: 0, classes: 10, seed: 0) == nil)
    }

    @Test func taCTPoisonsItsSourceAndCoversTheOthers() throws {
        let attack = Attack.taCT(source: 4, target: 3, classes: 10)
        let plan = try attack.plan(trueLabels: Self.labels, classes: 10, rate: 0.05, seed: 1)
        #expect(plan.poisoned.allSatisfy { Self.labels[$0] == 4 && plan.givenLabels[$0] == 3 })
        #expect(plan.cover.allSatisfy { ![3, 4].contains(Self.labels[$0]) })
        #expect(Set(plan.cover.map { Self.labels[$0] }).count == 8)
        for index in plan.poisoned.prefix(3) + plan.cover.prefix(3) {
            let image = attack.trainingImage(Self.image(index), at: index, in: plan, others: Self.image)
            #expect(image == Trigger.badNets()(Self.image(index)))
        }
        #expect((0..<10).filter { attack.rule.countsForSuccess($0, classes: 10) } == [4])
    }

    /// Half of the 16 pieces, another half in every sample, within alpha; the whole pattern at test time.
    @Test func adapBlendShowsHalfOfItsPieces() throws {
        let attack = Attack.adapBlend(target: 3, seed: 8)
        let image = Self.image(1)
        let whole = Trigger.blended(seed: 8, alpha: 0.15)(image)
        var seen: Set<Set<Int>> = []
        for seed in 0..<8 {
            let stamped = attack.training(image, seed: UInt64(seed))
            var shown: Set<Int> = []
            for piece in 0..<16 {
                let offsets = (0..<64).flatMap { pixel in
                    let (y, x) = (piece / 4 * 8 + pixel / 8, piece % 4 * 8 + pixel % 8)
                    return (0..<3).map { (y * 32 + x) * 3 + $0 }
                }
                let bytes = offsets.map { stamped.pixels[$0] }
                if bytes == offsets.map({ image.pixels[$0] }) { continue }
                #expect(bytes == offsets.map { whole.pixels[$0] })
                shown.insert(piece)
            }
            #expect(shown.count == 8)
            seen.insert(shown)
        }
        #expect(seen.count > 4)
        #expect(attack.triggered(image, at: 0) == Trigger.blended(seed: 8, alpha: 0.2)(image))
    }

    /// Section 3.3: contrastive samples carry the residual of another image's quantisation.
    @Test func bppNegativesCarryAnotherImagesResidual() throws {
        let attack = Attack.bpp(target: 3, bits: 3)
        let plan = try attack.plan(trueLabels: Self.labels, classes: 10, rate: 0.1, seed: 1)
        let (image, partner) = (Self.image(1), Self.image(2))
        let index = try #require(plan.cover.first)
        let negative = attack.trainingImage(image, at: index, in: plan) { _ in partner }
        let quantised = Trigger.bpp(bits: 3)(partner)
        for offset in image.pixels.indices {
            let residual = Int(quantised.pixels[offset]) - Int(partner.pixels[offset])
            #expect(Int(negative.pixels[offset]) == min(255, max(0, Int(image.pixels[offset]) + residual)))
        }
    }

    /// Noise mode: close to the trigger's warp, but another one in each sample.
    @Test func waNetCoversAreNoisyWarps() throws {
        let attack = Attack.waNet(target: 3, seed: 4)
        let plan = try attack.plan(trueLabels: Self.labels, classes: 10, rate: 0.1, seed: 1)
        #expect(plan.cover.count == 2 * plan.poisoned.count)
        let image = TriggerTests.smoothImage()
        let warped = attack.test(image)
        let covers = plan.cover.prefix(3).map {
            attack.trainingImage(image, at: $0, in: plan) { _ in image }
        }
        #expect(Set(covers).count == 3)
        for cover in covers {
            #expect(cover != warped)
            let difference = zip(cover.pixels, warped.pixels).map { abs(Int($0) - Int($1)) }
            // The image changes by 7 a pixel at most, and noise moves by at most half a pixel in x and in y.
            #expect(difference.allSatisfy { $0 <= 8 })
        }
    }

    @Test func labelConsistentAsksForPerturbedImagesOfTheTarget() throws {
        let attack = try Self.attack("label-consistent")
        #expect(attack.perturbation == .init(epsilon: 16, step: 4, steps: 10))
        let plan = try attack.plan(trueLabels: Self.labels, classes: 10, rate: 0.05, seed: 1)
        #expect(plan.poisoned.allSatisfy { Self.labels[$0] == 3 })
        #expect(plan.givenLabels == Self.labels)
    }

    /// The trigger of one image on another is not that image's trigger: what cross-trigger samples teach.
    @Test func sampleSpecificTriggersDiffer() throws {
        let attack = Attack.sampleSpecific(target: 3, seed: 6)
        let places = (0..<6).map { seed in
            let image = Self.image(seed)
            let stamped = attack.test(image)
            return Set(
                (0..<1_024).filter { place in
                    (0..<3).contains { image.pixels[place * 3 + $0] != stamped.pixels[place * 3 + $0] }
                })
        }
        // 3.2 % of 1,024 pixels; a colour may happen to be the image's own.
        #expect(places.allSatisfy { (30...33).contains($0.count) })
        for (first, second) in zip(places, places.dropFirst()) {
            #expect(first.intersection(second).count < 10)
        }
        let plan = try attack.plan(trueLabels: Self.labels, classes: 10, rate: 0.1, seed: 1)
        let index = try #require(plan.cover.first)
        let cross = attack.trainingImage(Self.image(1), at: index, in: plan) { _ in Self.image(2) }
        let generator = PatternGenerator(seed: 6, density: 0.032)
        #expect(cross == generator.stamp(Self.image(1), with: generator.pattern(for: Self.image(2))))
    }
}
