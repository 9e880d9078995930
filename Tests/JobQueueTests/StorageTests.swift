import ArtifactStore
import Findings
import Foundation
import JobStore
import Support
import Testing

@testable import JobQueue
@testable import Storage

/// Sweeps, checks, backups, and uploads that were interrupted.
@Suite struct StorageTests {
    private func uploads(_ service: Service, patience: Duration = .seconds(60)) -> ResumableUploads {
        ResumableUploads(
            store: service.store, artifacts: service.artifacts, patience: patience,
            registered: { [queue = service.queue] in await queue.wake() }
        ) { _, path in
            guard try !Data(contentsOf: URL(filePath: path)).isEmpty else {
                throw Problem(.unprocessable, code: "empty", title: "Empty", detail: "")
            }
            return nil
        }
    }

    private func append(_ text: String, to record: UploadRecord, _ uploads: ResumableUploads) throws
        -> PartFile
    {
        let part = try #require(try uploads.take(record))
        try Data(text.utf8).withUnsafeBytes { try part.append($0) }
        return part
    }

    /// A service with one finished job.
    private func populated() async throws -> (service: Service, job: JobRecord) {
        let service = try Service()
        try await service.queue.start()
        let id = try await service.submit(
            "phase boundary_analysis\nsamples 100\nverdict\nartifact out.pt2 purified\nfinished")
        let job = try await service.job(id)
        // When this returns, the job's work directory is gone.
        await service.queue.shutdown()
        return (service, job)
    }

    @Test(arguments: ["receiving", "checking", "committing", "renamed"])
    func anUploadInterruptedAtItsEndIsFinishedByTheNextStart(stage: String) async throws {
        let service = try Service()
        let uploads = uploads(service)
        let text = "[import]\ndataset-summary\nfinished"
        let record = try await uploads.create(.dataset, name: "d", length: text.utf8.count)
        let part = try append(text, to: record, uploads)
        try uploads.pause(part)
        let sha256 = try part.sha256()
        if stage != "receiving" {
            #expect(try service.store.beginCheck(upload: record.id, sha256: sha256) == 1)
        }
        if stage == "committing" || stage == "renamed" {
            try service.store.beginCommit(upload: record.id, sha256: sha256)
        }
        if stage == "renamed" { try service.artifacts.commitPart(record.id, sha256: sha256) }
        let keeping = Housekeeping(store: service.store, artifacts: service.artifacts, uploads: uploads)
        try await keeping.repairAtStart()
        for _ in 0..<2 { await uploads.finishInterrupted() }
        let finished = try await uploads.find(record.id).record
        #expect(finished.state == .finished)
        #expect(try await service.store.datasets(limit: 9, cursor: nil).items.map(\.id) == [finished.input])
        #expect(service.artifacts.path(of: sha256) != nil)
        #expect(try service.artifacts.partIDs() == [])
        try await service.remove()
    }

    @Test func bytesOfAnUploadOutliveAStartAndAreHashedAgain() async throws {
        let first = try Service()
        let record = try await uploads(first).create(.dataset, name: "d", length: 6)
        try uploads(first).pause(try append("abc", to: record, uploads(first)))
        try await first.end()
        let directory = first.directory
        let again = try await Self.reopened(directory) { service in
            let uploads = uploads(service)
            try await Housekeeping(store: service.store, artifacts: service.artifacts, uploads: uploads)
                .repairAtStart()
            #expect(try await uploads.find(record.id).offset == 3)
            let part = try append("def", to: record, uploads)
            return try await uploads.complete(record, part)
        }
        #expect(again.sha256 == "bef57ec7f53a6d40beb640a780a639c83bc29ac8a9816f1fc6c5c6dcd93c4721")
    }

    /// Waits until the earlier service has let go of the directory.
    private static func reopened<Value>(_ directory: String, _ body: (Service) async throws -> Value)
        async throws -> Value
    {
        let copy = directory + "-again"
        try FileManager.default.copyItem(atPath: directory, toPath: copy)
        let service = try Service(copy)
        let value = try await body(service)
        try await service.remove()
        try FileManager.default.removeItem(atPath: directory)
        return value
    }

    @Test func uploadsExpireAndLostOnesAreForgotten() async throws {
        let service = try Service()
        let old = try await uploads(service, patience: .zero).create(.model, name: "m", length: 10)
        let lost = try await uploads(service).create(.model, name: "m", length: 10)
        let kept = try await uploads(service).create(.model, name: "m", length: 10)
        try service.artifacts.deletePart(lost.id)
        let uploads = uploads(service)
        try await uploads.expire()
        try await Housekeeping(store: service.store, artifacts: service.artifacts, uploads: uploads)
            .repairAtStart()
        #expect(try service.artifacts.partIDs() == [kept.id])
        #expect(try await service.store.uploads(in: Set(UploadState.allCases)).map(\.id) == [kept.id])
        #expect(old.id != lost.id)
        try await service.remove()
    }

    @Test func theSweepRemovesWhatNothingRefersToAndNothingElse() async throws {
        let (service, job) = try await populated()
        let before = try service.artifacts.storedBlobs().count
        _ = try service.upload("orphan")
        _ = try service.artifacts.makeImportDirectory("dst_gone", attempt: 1)
        _ = try service.artifacts.makeWorkDirectory("job_gone")
        try service.artifacts.createPart("upl_gone", length: 10)
        let keeping = Housekeeping(
            store: service.store, artifacts: service.artifacts, uploads: uploads(service))
        // It may be an upload that is about to be registered.
        let first = try await keeping.sweep(olderThan: .seconds(3_600))
        #expect(first.blobs == 0 && first.others == 3)
        let removed = try await keeping.sweep(olderThan: .zero)
        #expect(removed.blobs == 1)
        #expect(removed.others == 0)
        #expect(removed.bytes == "orphan".utf8.count)
        #expect(try service.artifacts.storedBlobs().count == before)
        #expect(try service.artifacts.datasetIDs() == [job.request.dataset])
        #expect(try service.artifacts.workIDs() == [] && service.artifacts.partIDs() == [])
        try await service.remove()
    }

    @Test func theCheckFindsEveryFaultAndRepairsIt() async throws {
        let (service, job) = try await populated()
        let check = StorageCheck(store: service.store, artifacts: service.artifacts)
        #expect(try await check.run(repair: false) == [])
        let model = try await service.store.model(job.request.model).blob.sha256
        let blobs = service.directory + "/blobs/"
        let bytes = try Data(contentsOf: URL(filePath: blobs + model))
        try Data(bytes.map { $0 ^ 1 }).write(to: URL(filePath: blobs + model))
        let result = try #require(job.artifact(.purifiedModel)).sha256
        try service.artifacts.delete(sha256: result)
        let orphan = try service.upload("orphan").sha256
        try service.artifacts.deleteDatasetDirectory(job.request.dataset)
        let lost = try await uploads(service).create(.model, name: "m", length: 10)
        try service.artifacts.deletePart(lost.id)
        func found(_ repaired: Bool) -> Set<StorageCheck.Finding> {
            func finding(_ kind: StorageCheck.Kind, _ subject: String, _ detail: String)
                -> StorageCheck.Finding
            {
                StorageCheck.Finding(kind: kind, subject: subject, detail: detail, repaired: repaired)
            }
            return [
                finding(.contentDamaged, model, "The file is not what its name says."),
                finding(.contentMissing, result, "The file of 8 bytes is not there."),
                finding(.packedMissing, job.request.dataset, "Its packed form is not there or not whole."),
                finding(.unreferenced, orphan, "A file of 6 bytes."),
                finding(.uploadLost, lost.id, "There is no file."),
            ]
        }
        #expect(Set(try await check.run(repair: false)) == found(false))
        let quick = StorageCheck(store: service.store, artifacts: service.artifacts, readsContent: false)
        #expect(try await quick.run(repair: false).count == 4)
        #expect(Set(try await check.run(repair: true)) == found(true))
        let left = try await check.run(repair: false)
        #expect(left == [])
        #expect(try await service.store.model(job.request.model).problem?.code == "content-damaged")
        #expect(FileManager.default.fileExists(atPath: service.directory + "/damaged/" + model))
        #expect(try await service.store.dataset(job.request.dataset).state == .importing)
        #expect(try await service.job(job.id).artifacts == [])
        try await service.remove()
    }

    @Test func aBackupOfARunningServiceIsRestored() async throws {
        let (service, job) = try await populated()
        _ = try await uploads(service).create(.model, name: "unfinished", length: 10)
        let folder = service.directory + "-backup"
        let manifest = try Backup(data: service.directory, destination: folder).run()
        // The service goes on meanwhile: what comes later is not in it.
        _ = try await service.model("finished")
        #expect(throws: Problem.self) { try Backup(data: service.directory, destination: folder).run() }
        let restored = service.directory + "-restored"
        #expect(try Restore(source: folder, data: restored).run() == manifest)
        #expect(throws: Problem.self) { try Restore(source: folder, data: restored).run() }
        let copy = try Service(restored)
        #expect(try await copy.job(job.id) == job)
        #expect(try await copy.store.models(limit: 9, cursor: nil).items.count == 1)
        #expect(try await copy.store.uploads(in: Set(UploadState.allCases)) == [])
        #expect(try await StorageCheck(store: copy.store, artifacts: copy.artifacts).run(repair: false) == [])
        try await copy.queue.start()
        #expect(
            try await copy.queue.submit(
                JobRequest(type: .scan, model: job.request.model, dataset: job.request.dataset)
            )
            .job.state == .queued)
        try await copy.remove()
        try await service.remove()
        try FileManager.default.removeItem(atPath: folder)
    }

    @Test func aDamagedBackupIsRefused() async throws {
        let (service, _) = try await populated()
        let folder = service.directory + "-backup"
        let restored = service.directory + "-restored"
        func refusal() async -> String? {
            await problemCode { _ = try Restore(source: folder, data: restored).run() }
        }
        #expect(await refusal() == "backup-unreadable")
        let manifest = try Backup(data: service.directory, destination: folder).run()
        for file in manifest.files {
            let path = folder + "/" + file.path
            let bytes = try Data(contentsOf: URL(filePath: path))
            try FileManager.default.removeItem(atPath: path)
            #expect(await refusal() == "backup-damaged", "\(file.path)")
            try (bytes + [0]).write(to: URL(filePath: path))
            #expect(await refusal() == "backup-damaged", "\(file.path)")
            try FileManager.default.removeItem(atPath: path)
            try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: "/etc/passwd")
            #expect(await refusal() == "backup-damaged", "\(file.path)")
            try FileManager.default.removeItem(atPath: path)
            try bytes.write(to: URL(filePath: path))
        }
        for path in ["../x", "blobs/../../x", "/etc/x", "blobs/.x", "other/x", "datasets//x", "blobs/a/b"] {
            var bad = manifest
            bad.files.append(.init(path: path, bytes: 0, sha256: ""))
            try JSONEncoder().encode(bad).write(to: URL(filePath: folder + "/" + BackupManifest.name))
            #expect(await refusal() == "backup-damaged", "\(path)")
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: restored) == [])
        for path in [folder, restored] { try FileManager.default.removeItem(atPath: path) }
        try await service.remove()
    }

    @Test func aBackupWithoutOneOfItsFilesFails() async throws {
        let (service, job) = try await populated()
        let blob = try #require(job.artifact(.purifiedModel))
        try service.artifacts.delete(sha256: blob.sha256)
        let folder = service.directory + "-backup"
        #expect(
            await problemCode { _ = try Backup(data: service.directory, destination: folder).run() }
                == "backup-incomplete")
        #expect(!FileManager.default.fileExists(atPath: folder + "/" + BackupManifest.name))
        try FileManager.default.removeItem(atPath: folder)
        try await service.remove()
    }

    @Test func theRetentionPolicyRemovesJobsWithTheirFiles() async throws {
        let (service, job) = try await populated()
        var configuration = Housekeeping.Configuration()
        configuration.retention.age = 0
        try await Housekeeping(
            store: service.store, artifacts: service.artifacts, uploads: uploads(service),
            configuration: configuration
        ).retire()
        #expect(await problemCode { _ = try await service.store.job(job.id) } == "job-removed")
        let blob = try #require(job.artifact(.purifiedModel))
        #expect(service.artifacts.path(of: blob.sha256) == nil)
        #expect(
            try await StorageCheck(store: service.store, artifacts: service.artifacts).run(repair: false)
                == [])
        try await service.remove()
    }

    private func problemCode(_ body: () async throws -> Void) async -> String? {
        do { try await body() } catch { return (error as? Problem)?.code }
        return nil
    }
}
