import Support
import Testing

@testable import JobQueue

/// Who gets the slots that no job has.
@Suite struct HelperSlotsTests {
    /// Counts what it is told.
    final class Job: HelperSlots.Employer {
        struct Counts: Equatable { var engaged = 0, released = 0 }
        private let counts = Mutex(Counts())
        var told: Counts { counts.withLock { $0 } }
        func engage() { counts.withLock { $0.engaged += 1 } }
        func release() { counts.withLock { $0.released += 1 } }
    }

    private func enter(_ slots: HelperSlots, wants: Int) -> Job {
        let job = Job()
        slots.enter(job)
        slots.seek(wants, for: job)
        return job
    }

    @Test func onlyWhatIsFreeIsGiven() {
        let slots = HelperSlots(slots: 4)
        let job = enter(slots, wants: 5)
        #expect(job.told == .init(), "the queue has not looked yet")
        slots.update(jobs: 1, isOpen: false)
        #expect(job.told == .init())
        slots.update(jobs: 1, isOpen: true)
        #expect(job.told == .init(engaged: 3))
        slots.update(jobs: 1, isOpen: true)
        #expect(job.told == .init(engaged: 3))
    }

    @Test func aJobThatIsClaimedTakesASlotBack() {
        let slots = HelperSlots(slots: 4)
        let job = enter(slots, wants: 3)
        slots.update(jobs: 1, isOpen: true)
        slots.update(jobs: 2, isOpen: true)
        #expect(job.told == .init(engaged: 3, released: 1))
        // It is told once, and its slot is nobody's until it has gone.
        slots.update(jobs: 2, isOpen: true)
        #expect(job.told == .init(engaged: 3, released: 1))
        slots.ended(of: job, wasTold: true)
        #expect(job.told == .init(engaged: 3, released: 1))
        slots.update(jobs: 1, isOpen: true)
        #expect(job.told == .init(engaged: 4, released: 1))
    }

    @Test func jobsTakeTurns() {
        let slots = HelperSlots(slots: 6)
        slots.update(jobs: 2, isOpen: true)
        let first = enter(slots, wants: 4)
        #expect(first.told.engaged == 4)
        let second = enter(slots, wants: 4)
        #expect(second.told.engaged == 0)
        // What becomes free goes to the one with fewer.
        for _ in 0..<2 { slots.ended(of: first, wasTold: false) }
        #expect(second.told.engaged == 2 && first.told.engaged == 4)
        // The one with more gives first.
        slots.update(jobs: 4, isOpen: true)
        #expect(first.told.released + second.told.released == 2)
        #expect(first.told.released == 1 && second.told.released == 1)
    }

    @Test func whatIsNotWantedAnyMoreIsGivenToOthers() {
        let slots = HelperSlots(slots: 3)
        slots.update(jobs: 2, isOpen: true)
        let first = enter(slots, wants: 1)
        let second = enter(slots, wants: 1)
        #expect(first.told == .init(engaged: 1) && second.told == .init())
        slots.seek(0, for: first)
        #expect(first.told == .init(engaged: 1, released: 1) && second.told == .init())
        slots.ended(of: first, wasTold: true)
        #expect(second.told == .init(engaged: 1))
        slots.leave(second)
        slots.seek(1, for: first)
        #expect(first.told.engaged == 2, "what left has no slot")
    }

    @Test func oneThatEndsByItselfIsReplacedUnlessItIsTheLast() {
        let slots = HelperSlots(slots: 2)
        slots.update(jobs: 1, isOpen: true)
        let job = enter(slots, wants: 1)
        slots.ended(of: job, wasTold: false)
        #expect(job.told == .init(engaged: 2))
        slots.ended(of: job, wasTold: false, isLast: true)
        #expect(job.told == .init(engaged: 2))
        // One that was told when it had just ended leaves no mark.
        slots.seek(1, for: job)
        slots.update(jobs: 2, isOpen: true)
        slots.ended(of: job, wasTold: false)
        slots.update(jobs: 1, isOpen: true)
        slots.update(jobs: 2, isOpen: true)
        #expect(job.told == .init(engaged: 4, released: 2))
    }
}
