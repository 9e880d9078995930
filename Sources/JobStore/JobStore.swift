import ArtifactStore
import Findings
import Foundation
import Problems

/// Everything the service must remember, in one SQLite file. Reads run concurrently; one writer.
public final class JobStore: Sendable {
    /// Opens or creates the file and applies the migrations.
    /// - Parameter migrations: folder of numbered SQL files; nil for the ones the program came with.
    public init(path: String, migrations: String? = nil) throws { fatalError() }

    // Listings. `cursor` is a `nextCursor` of the same query; a foreign one throws `Problem` `invalid-cursor`
    // (malformed). `limit` is clamped to 1...1000. Unknown ids throw `.notFound`.
    public func model(_ id: String) async throws -> ModelRecord { fatalError() }
    public func models(limit: Int, cursor: String?) async throws -> Page<ModelRecord> { fatalError() }
    public func dataset(_ id: String) async throws -> DatasetRecord { fatalError() }
    public func datasets(limit: Int, cursor: String?) async throws -> Page<DatasetRecord> { fatalError() }
    public func job(_ id: String) async throws -> JobRecord { fatalError() }
    /// Newest first.
    public func jobs(state: JobState?, type: JobType?, limit: Int, cursor: String?) async throws
        -> Page<JobRecord>
    { fatalError() }
    /// - Throws: `Problem` `.conflict` `samples-not-ready` before the job has any.
    public func samples(of job: String, _ query: SampleQuery, limit: Int, cursor: String?) async throws
        -> Page<SampleFinding>
    { fatalError() }
    /// Every sample of the query, `pageSize` at a time, with constant memory.
    public func samplePages(of job: String, _ query: SampleQuery, pageSize: Int = 1000)
        -> AsyncThrowingStream<[SampleFinding], any Error>
    { fatalError() }
    public func metrics(of job: String) async throws -> [MetricPoint] { fatalError() }
    /// Events with an id above `after`, oldest first.
    public func events(of job: String, after: Int64, limit: Int) async throws -> [JobEvent] { fatalError() }
    /// Number of jobs in each state (absent: none).
    public func jobCounts() async throws -> [JobState: Int] { fatalError() }
}
