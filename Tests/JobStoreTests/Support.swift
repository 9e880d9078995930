import ArtifactStore
import Findings
import Foundation
import GRDB
import Support

@testable import JobStore

/// A store on a real file, with a second connection that can try what the store never would.
final class TestStore: Sendable {
    let directory = NSTemporaryDirectory() + "burn-store-" + UUID().uuidString
    let store: JobStore
    var path: String { directory + "/burn.sqlite" }

    init() throws {
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        store = try JobStore(path: directory + "/burn.sqlite")
    }

    deinit { try? FileManager.default.removeItem(atPath: directory) }

    func execute(_ sql: String) throws {
        try store.pool.write { try $0.execute(sql: sql) }
    }

    func model(ready: Bool = true) async throws -> String {
        let model = try await store.insertModel(name: "m", blob: Self.blob(1))
        if ready {
            let attempt = try await require(store.claimImport(lease: "a"))
            try store.finishImport(attempt, model: Self.modelSummary)
        }
        return model.id
    }

    func dataset(ready: Bool = true) async throws -> String {
        let dataset = try await store.insertDataset(name: "d", blob: Self.blob(2))
        if ready {
            let attempt = try await require(store.claimImport(lease: "a"))
            try store.finishImport(attempt, dataset: Self.datasetSummary)
        }
        return dataset.id
    }

    /// A submitted job on inputs that are ready.
    func job(_ type: JobType = .scan) async throws -> JobRecord {
        let request = JobRequest(type: type, model: try await model(), dataset: try await dataset())
        return try await store.submit(request).job
    }

    func runningJob() async throws -> JobAttempt {
        _ = try await job()
        return try await require(store.claimJob(lease: "a"))
    }

    struct Missing: Error {}
    private func require<Value>(_ value: Value?) throws -> Value {
        guard let value else { throw Missing() }
        return value
    }

    static func blob(_ number: Int) -> Blob {
        Blob(sha256: String(repeating: "0", count: 63) + String(number, radix: 16), size: number)
    }

    static let modelSummary = ModelSummary(
        format: "pt2", inputShape: [nil, 3, 8, 8], inputType: "float32", classes: 3, parameters: 10,
        operators: [:])
    static let datasetSummary = DatasetSummary(
        format: "image-folder/zip", samples: 2, height: 8, width: 8, channels: 3, classes: [], skipped: [],
        skippedTotal: 0, packedBytes: 384)
    static let verdict = Verdict(
        result: .clean, targetClasses: [], kind: nil, poisonedSamples: 0, poisonRate: 0,
        poisonRateInterval: [0, 0.01], confidence: 0.9, detectableRate: 0.01,
        evidence: Evidence(classes: [], statements: []))

    static func sample(_ index: Int, score: Double = 0.5, label: Int = 0, flagged: Bool = false)
        -> SampleFinding
    {
        SampleFinding(
            index: index, name: "\(label)/\(index).png", givenLabel: label, predictedLabel: 0,
            boundaryDistance: score * 2, adversarialLabel: 1, coherence: -score, score: score,
            flagged: flagged, restoredLabel: label)
    }
}

/// The code of the `Problem` that `body` throws; nil when it throws nothing or something else.
func problemCode(_ body: () async throws -> Void) async -> String? {
    do { try await body() } catch { return (error as? Problem)?.code }
    return nil
}

/// What a callback was given.
final class Removed: @unchecked Sendable {
    // Sound: written by the store's one writer, read after the call that wrote has returned.
    private(set) var list: [String] = []
    func add(_ sha256: String) { list.append(sha256) }
}
