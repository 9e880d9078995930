/// Lets work that several cases need be done once, however many of them ask for it at the same time: the
/// import of a data set, the clean model of an attack.
public actor SharedWork {
    private var imports: [DataSource: Task<Void, any Error>] = [:]
    private var cases: [String: Task<CaseMaker.Made, any Error>] = [:]

    public init() {}

    func importOnce(_ source: DataSource, _ work: @escaping @Sendable () async throws -> Void) async throws {
        let task = imports[source] ?? Task { try await work() }
        imports[source] = task
        try await task.value
    }

    func makeOnce(
        _ name: String, _ work: @escaping @Sendable () async throws -> CaseMaker.Made
    ) async throws -> CaseMaker.Made {
        let task = cases[name] ?? Task { try await work() }
        cases[name] = task
        return try await task.value
    }
}
