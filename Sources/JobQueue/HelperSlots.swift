import Support

/// Who may use the slots that no job has: helpers of jobs that run. A queued job never waits for one: it takes its slot, and a
/// helper is told to stop.
final class HelperSlots: Sendable {
    /// A job that may have helpers.
    protocol Employer: AnyObject, Sendable {
        /// Begins one more helper, whose slot is given back with `ended`.
        func engage()
        /// Tells one helper to stop.
        func release()
    }

    private struct Entry {
        var employer: any Employer
        var wanted = 0
        /// Those that run, and of these, those that were told to stop.
        var helpers = 0
        var leaving = 0
        var staying: Int { helpers - leaving }
        /// When it came, so that of two with as many helpers the older one is served first.
        var order: Int
    }

    private struct State {
        var jobs = 0
        var isOpen = false
        var entries: [ObjectIdentifier: Entry] = [:]
        var order = 0

        var helpers: Int { entries.values.reduce(0) { $0 + $1.helpers } }
        var staying: Int { entries.values.reduce(0) { $0 + $1.staying } }

        /// The job with the most helpers that stay.
        var richest: ObjectIdentifier? {
            entries.filter { $0.value.staying > 0 }
                .max { ($0.value.staying, $0.value.order) < ($1.value.staying, $1.value.order) }?.key
        }

        /// The job with the fewest helpers of those that want more.
        var poorest: ObjectIdentifier? {
            entries.filter { $0.value.wanted > $0.value.helpers }
                .min { ($0.value.helpers, $0.value.order) < ($1.value.helpers, $1.value.order) }?.key
        }
    }

    private enum Order { case engage(any Employer), release(any Employer) }

    private let slots: Int
    private let state = Mutex(State())

    init(slots: Int) { self.slots = slots }

    /// Called whenever the queue has filled its slots: what is free then is wanted by no job that waits.
    /// - Parameter isOpen: whether any more tasks may be started.
    func update(jobs: Int, isOpen: Bool) {
        change { state in
            state.jobs = jobs
            state.isOpen = isOpen
        }
    }

    func enter(_ employer: any Employer) {
        change { state in
            state.order += 1
            state.entries[ObjectIdentifier(employer)] = Entry(employer: employer, order: state.order)
        }
    }

    func leave(_ employer: any Employer) {
        change { $0.entries[ObjectIdentifier(employer)] = nil }
    }

    func seek(_ count: Int, for employer: any Employer) {
        change { $0.entries[ObjectIdentifier(employer)]?.wanted = count }
    }

    /// A helper has ended.
    /// - Parameters:
    ///   - wasTold: to stop, by `release`.
    ///   - isLast: whether the job is to get no other.
    func ended(of employer: any Employer, wasTold: Bool, isLast: Bool = false) {
        change { state in
            guard var entry = state.entries[ObjectIdentifier(employer)] else { return }
            entry.helpers -= 1
            // One that ends by itself may be the one that was meant to be told.
            entry.leaving = min(entry.leaving - (wasTold ? 1 : 0), entry.helpers)
            if isLast { entry.wanted = 0 }
            state.entries[ObjectIdentifier(employer)] = entry
        }
    }

    private func change(_ body: (inout State) -> Void) {
        let orders = state.withLock { state in
            body(&state)
            return Self.orders(&state, slots: slots)
        }
        for order in orders {
            switch order {
            case .engage(let employer): employer.engage()
            case .release(let employer): employer.release()
            }
        }
    }

    /// What follows from a change.
    private static func orders(_ state: inout State, slots: Int) -> [Order] {
        var orders: [Order] = []
        for (id, entry) in state.entries {
            for _ in 0..<max(0, entry.staying - entry.wanted) {
                state.entries[id]?.leaving += 1
                orders.append(.release(entry.employer))
            }
        }
        while state.staying + state.jobs > slots, let id = state.richest, let entry = state.entries[id] {
            state.entries[id]?.leaving += 1
            orders.append(.release(entry.employer))
        }
        while state.isOpen, state.helpers + state.jobs < slots, let id = state.poorest,
            let entry = state.entries[id]
        {
            state.entries[id]?.helpers += 1
            orders.append(.engage(entry.employer))
        }
        return orders
    }
}
