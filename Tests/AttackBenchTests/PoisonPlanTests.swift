import AttackBench
import Support
import Testing

@Suite struct PoisonPlanTests {
    static let labels = (0..<1_000).map { $0 * 7 % 10 }

    static func plan(_ rule: LabelRule, rate: Double = 0.05, seed: UInt64 = 1) throws -> PoisonPlan {
        try PoisonPlan(trueLabels: labels, classes: 10, rule: rule, rate: rate, seed: seed)
    }

    @Test(arguments: [0, 0.001, 0.01, 0.0375, 0.1])
    func rateIsAShareOfTheWholeSet(rate: Double) throws {
        for rule in [LabelRule.allToOne(target: 3), .allToAll, .cleanLabel(target: 3)] {
            let plan = try Self.plan(rule, rate: rate)
            #expect(plan.poisoned.count == Int((rate * 1_000).rounded()))
            #expect(Set(plan.poisoned).count == plan.poisoned.count)
            #expect(plan.poisoned == plan.poisoned.sorted())
        }
    }

    @Test func allToOneTakesOtherClassesAndGivesTheTarget() throws {
        let plan = try Self.plan(.allToOne(target: 4), rate: 0.9)
        #expect(plan.poisoned.allSatisfy { Self.labels[$0] != 4 && plan.givenLabels[$0] == 4 })
    }

    @Test func allToAllGivesTheNextClass() throws {
        let plan = try Self.plan(.allToAll, rate: 1)
        #expect(plan.givenLabels == Self.labels.map { ($0 + 1) % 10 })
    }

    @Test func cleanLabelTakesTheTargetAndKeepsLabels() throws {
        let plan = try Self.plan(.cleanLabel(target: 2), rate: 0.1)
        #expect(plan.poisoned == Self.labels.indices.filter { Self.labels[$0] == 2 })
        #expect(plan.givenLabels == Self.labels)
    }

    @Test func otherSamplesKeepTheirLabels() throws {
        for rule in [LabelRule.allToOne(target: 3), .allToAll] {
            let plan = try Self.plan(rule)
            let poisoned = Set(plan.poisoned)
            for index in Self.labels.indices where !poisoned.contains(index) {
                #expect(plan.givenLabels[index] == Self.labels[index])
            }
        }
    }

    @Test func seedDecidesAndNothingElse() throws {
        #expect(try Self.plan(.allToAll, seed: 8) == Self.plan(.allToAll, seed: 8))
        #expect(try Self.plan(.allToAll, seed: 8).poisoned != Self.plan(.allToAll, seed: 9).poisoned)
    }

    @Test func successIsCountedWhereTheLabelChanges() {
        #expect(!LabelRule.allToOne(target: 3).countsForSuccess(3, classes: 10))
        #expect(LabelRule.allToOne(target: 3).countsForSuccess(4, classes: 10))
        #expect(LabelRule.allToAll.countsForSuccess(3, classes: 10))
        #expect(!LabelRule.cleanLabel(target: 3).countsForSuccess(3, classes: 10))
        #expect(LabelRule.cleanLabel(target: 3).countsForSuccess(5, classes: 10))
    }

    @Test(arguments: [
        (LabelRule.allToOne(target: 10), 0.1), (.cleanLabel(target: -1), 0.1), (.cleanLabel(target: 1), 0.2),
        (.allToOne(target: 1), 1), (.allToAll, 1.5), (.allToAll, -0.1), (.allToAll, .nan),
        (.sourceSpecific(source: 10, target: 1), 0.05), (.sourceSpecific(source: 2, target: 1), 0.2),
    ])
    func impossiblePlansAreRefused(rule: LabelRule, rate: Double) {
        do throws(Problem) {
            _ = try PoisonPlan(trueLabels: Self.labels, classes: 10, rule: rule, rate: rate, seed: 1)
            Issue.record("it was taken")
        } catch {
            #expect(error.code == "poison-plan-impossible")
        }
    }

    @Test func coverSamplesComeFromTheirClassesAndWhatIsLeft() throws {
        let plan = try PoisonPlan(
            trueLabels: Self.labels, classes: 10, rule: .allToOne(target: 3), rate: 0.5, coverRate: 0.05,
            coverClasses: [5, 6], seed: 1)
        #expect(plan.cover.count == 50)
        #expect(plan.cover.allSatisfy { [5, 6].contains(Self.labels[$0]) && plan.role(of: $0) == .cover })
        #expect(plan.poisoned.allSatisfy { plan.role(of: $0) == .poisoned })
        #expect(Self.labels.indices.count { plan.role(of: $0) == .clean } == 450)
        #expect(throws: Problem.self) {
            try PoisonPlan(
                trueLabels: Self.labels, classes: 10, rule: .allToAll, rate: 0.5, coverRate: 0.6, seed: 1)
        }
    }

    @Test func labelsOutsideTheClassesAreRefused() {
        #expect(throws: Problem.self) {
            try PoisonPlan(trueLabels: [0, 5], classes: 5, rule: .allToAll, rate: 0, seed: 0)
        }
    }
}
