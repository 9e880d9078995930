/// The looks at Slurm's queue, numbered from 1, and what the last one showed.
struct SlurmLooks {
    /// The controller did not answer.
    private struct Silence: Error { var reason: String }

    private static let pause: Duration = .seconds(1)
    /// When somebody waits for a look.
    private static let shortPause: Duration = .milliseconds(200)
    /// When nothing runs; also the longest between two that fail.
    private static let longPause: Duration = .seconds(5)
    /// What a look showed counts as the present for so long.
    private static let freshness: Duration = .seconds(15)

    private var begun = 0
    private var ended = 0
    /// The one that somebody waits for.
    private var wanted = 0
    private var found: Result<[String: SlurmQueue.Entry], Silence> = .failure(
        Silence(reason: "Slurm was not asked yet."))
    /// When the last one began that was answered.
    private var answered: ContinuousClock.Instant?
    /// Questions without an answer since.
    private var failures = 0

    mutating func begin() { begun += 1 }

    /// - Parameter entries: of all names, the newest last.
    mutating func end(_ entries: [SlurmQueue.Entry], begun instant: ContinuousClock.Instant) {
        found = .success(Dictionary(entries.map { ($0.name, $0) }) { $1 })
        ended = begun
        answered = instant
        failures = 0
    }

    mutating func end(failed reason: String) {
        found = .failure(Silence(reason: reason))
        ended = begun
    }

    /// Counts a question that was not answered.
    /// - Returns: whether the controller counts as silent. One question may get lost on its way; a second one, or a long
    ///   time, is a controller that does not answer.
    mutating func isSilent() -> Bool {
        failures += 1
        guard let answered else { return true }
        return failures > 1 || .now - answered > Self.freshness
    }

    /// - Parameter isIdle: there is nothing to look at.
    func pause(isIdle: Bool) -> Duration {
        if failures > 0 { return min(Self.pause * (1 << min(failures - 1, 8)), Self.longPause) }
        if wanted > begun { return Self.shortPause }
        return isIdle ? Self.longPause : Self.pause
    }

    /// - Returns: the number of a look that has not begun.
    mutating func want() -> Int {
        wanted = begun + 1
        return wanted
    }

    /// - Parameter number: see `want`.
    /// - Returns: what the look showed of a name; nil before its end.
    func answer(_ name: String, number: Int) -> SlurmQueue.Answer? {
        guard ended >= number else { return nil }
        return switch found {
        case .success(let found): found[name].map { .job($0) } ?? SlurmQueue.Answer.none
        case .failure(let silence): .unknown(silence.reason)
        }
    }

    /// Whether a task is suspended; nil where nothing is known of the present.
    func isSuspended(_ name: String) -> Bool? {
        guard let answered, .now - answered < Self.freshness, case .success(let found) = found else {
            return nil
        }
        return found[name]?.isSuspended ?? false
    }
}
