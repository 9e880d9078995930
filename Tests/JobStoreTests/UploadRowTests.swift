import Findings
import Foundation
import Support
import Testing

@testable import JobStore

/// The rows of resumable uploads: what ends with the service goes on from there, once.
@Suite struct UploadRowTests {
    private static func request(_ owner: String? = nil, seconds: Double = 60) -> UploadRequest {
        UploadRequest(
            owner: owner, kind: .model, name: "u", length: 1_000,
            expiresAt: Date(timeIntervalSinceNow: seconds))
    }

    @Test func anUploadMakesOneInputHoweverOftenItsEndIsRepeated() async throws {
        let test = try TestStore()
        let store = test.store
        let blob = TestStore.blob(7)
        let id = try await store.insertUpload(Self.request()).id
        #expect(try store.beginCheck(upload: id, sha256: blob.sha256) == 1)
        // A look that did not take place is none; one that ended with the service is.
        try store.releaseCheck(upload: id)
        #expect(try await store.upload(id).state == .receiving)
        #expect(try store.beginCheck(upload: id, sha256: blob.sha256) == 1)
        #expect(try store.beginCheck(upload: id, sha256: blob.sha256) == 2)
        #expect(
            await problemCode { try store.beginCommit(upload: id, sha256: "other") } == "upload-not-found")
        #expect(
            await problemCode { _ = try store.finishUpload(id, blob: blob) { _ in } } == "upload-not-found",
            "not before it was found good")
        try store.beginCommit(upload: id, sha256: blob.sha256)
        #expect(await problemCode { try await store.deleteUpload(id) } == "upload-committing")
        #expect(
            await problemCode {
                _ = try store.finishUpload(id, blob: blob) { _ in
                    throw Problem(.internal, code: "no-file", title: "", detail: "")
                }
            } == "no-file")
        #expect(try await store.models(limit: 10, cursor: nil).items.isEmpty, "nothing without its file")
        let first = try store.finishUpload(id, blob: blob) { _ in }
        let second = try store.finishUpload(id, blob: blob) { _ in }
        #expect(first.state == .finished && first.input != nil && first == second)
        #expect(try await store.models(limit: 10, cursor: nil).items.map(\.id) == [first.input])
        try store.rejectUpload(id, Problem(.malformed, code: "late", title: "", detail: ""))
        #expect(try await store.upload(id).state == .finished, "a result stays")
    }

    @Test func unfinishedUploadsAreLimitedForEachOwner() async throws {
        let test = try TestStore()
        let first = try await test.store.insertUpload(Self.request(), maximumUnfinished: 2)
        let second = try await test.store.insertUpload(Self.request(), maximumUnfinished: 2)
        let refused = await problemCode {
            _ = try await test.store.insertUpload(Self.request(), maximumUnfinished: 2)
        }
        #expect(refused == "too-many-uploads")
        #expect(try await test.store.uploads(in: [.receiving]).map(\.id) == [first.id, second.id])
        // One that was refused is finished with.
        try test.store.rejectUpload(first.id, Problem(.malformed, code: "bad", title: "t", detail: "d"))
        #expect(try await test.store.upload(first.id).problem?.code == "bad")
        _ = try await test.store.insertUpload(Self.request(), maximumUnfinished: 2)
    }

    @Test func anUploadThatIsLookedAtDoesNotExpire() async throws {
        let test = try TestStore()
        let idle = try await test.store.insertUpload(Self.request(seconds: -1)).id
        let checked = try await test.store.insertUpload(Self.request(seconds: -1)).id
        _ = try await test.store.insertUpload(Self.request(seconds: 60))
        _ = try test.store.beginCheck(upload: checked, sha256: TestStore.blob(7).sha256)
        #expect(try await test.store.expiredUploads().map(\.id) == [idle])
        try await test.store.renewUpload(idle, expiresAt: Date(timeIntervalSinceNow: 60))
        #expect(try await test.store.expiredUploads().isEmpty)
        #expect(
            try await test.store.expiredUploads(at: Date(timeIntervalSinceNow: 61)).count == 2,
            "but that which is looked at")
    }
}
