import Foundation
import HTTPServer
import Support
import Testing

@testable import API

@Suite struct InputRouteTests {
    @Test func anUploadIsStoredImportedListedAndDownloaded() async throws {
        try await withHarness { service in
            let script = Data(Script.model.utf8)
            let digest = Data(Digest.sha256(script)).base64EncodedString()
            let created = try await service.send(
                .post, "/v1/models?name=res%20net.pt2", body: script,
                headers: [.contentDigest: "sha-512=:AA==:, sha-256=:\(digest):", .prefer: "wait=30"])
            #expect(created.status == 201)
            #expect(created.headers[.preferenceApplied] == "wait=30")
            let id: String = try #require(try created.value("id"))
            #expect(created.headers[.location] == "/v1/models/\(id)")
            #expect(try created.value("state") == "ready")
            #expect(try created.value("name") == "res net.pt2")
            #expect(try created.value("bytes") == script.count)
            #expect(try created.value("summary", "classes") == 3)

            let metadata = try await service.send(.get, "/v1/models/\(id)")
            #expect(metadata.status == 200)
            #expect(try metadata.value("links", "content") == "/v1/models/\(id)/content")

            let content = try await service.send(.get, "/v1/models/\(id)/content")
            #expect(content.status == 200)
            #expect(content.body == script)
            #expect(content.headers[.reprDigest] == "sha-256=:\(digest):")

            #expect(try await service.send(.delete, "/v1/models/\(id)").status == 204)
            #expect(try await service.send(.get, "/v1/models/\(id)").status == 404)
            #expect(try await service.send(.get, "/v1/models/\(id)/content").status == 404)
            #expect(try await service.send(.delete, "/v1/models/\(id)").status == 404)
        }
    }

    @Test func withoutAWaitTheAnswerSaysImporting() async throws {
        try await withHarness { service in
            let created = try await service.send(
                .post, "/v1/datasets", body: Data("[import]\nwait\n".utf8))
            #expect(created.status == 201)
            #expect(try created.value("state") == "importing")
            #expect(created.headers[.preferenceApplied] == nil)
        }
    }

    /// RFC 7240, section 2: a preference that can't be read is ignored.
    @Test(arguments: [";", ",;=,", "wait", "wait=", "=;", "wait=-1", "wait=99999999999999999999", ";wait=5"])
    func aPreferenceThatCannotBeReadIsIgnored(preference: String) async throws {
        try await withHarness { service in
            let created = try await service.send(
                .post, "/v1/datasets", body: Data("[import]\nwait\n".utf8), headers: [.prefer: preference])
            #expect(created.status == 201)
            #expect(created.headers[.preferenceApplied] == nil)
        }
    }

    @Test func aRejectedImportCarriesItsProblem() async throws {
        try await withHarness { service in
            let created = try await service.send(
                .post, "/v1/datasets", body: Data("[import]\nfail unprocessable empty-class\n".utf8),
                headers: [.prefer: "respond-async, wait=30"])
            #expect(created.status == 201)
            #expect(try created.value("state") == "rejected")
            #expect(try created.value("problem", "code") == "empty-class")
            #expect(try created.value("problem", "status") == 422)
        }
    }

    @Test(arguments: ["models", "datasets"])
    func pagesCoverTheListOnce(collection: String) async throws {
        try await withHarness { service in
            var expected: Set<String> = []
            for index in 0..<5 {
                let script = (collection == "models" ? Script.model : Script.dataset) + "# \(index)\n"
                expected.insert(try await service.upload(script, to: collection))
            }
            var seen: [String] = []
            var cursor = ""
            repeat {
                let page = try await service.send(.get, "/v1/\(collection)?limit=2\(cursor)")
                #expect(page.status == 200)
                let items: [[String: Any]] = try #require(try page.value("items"))
                #expect(items.count <= 2)
                seen += items.compactMap { $0["id"] as? String }
                let next: String? = try page.value("next_cursor")
                cursor = next.map { "&cursor=\($0)" } ?? ""
            } while !cursor.isEmpty
            #expect(seen.count == 5)
            #expect(Set(seen) == expected)
        }
    }

    @Test func uploadsThatBreakARuleAreRefusedAndNotKept() async throws {
        try await withHarness(limits: .init(modelBytes: 1000)) { service in
            func refused(
                _ target: String = "/v1/models", body: Data? = Data("[probe]\n".utf8),
                headers: HTTPFields = [:],
                length: UInt64?? = .none
            ) async throws -> (Int, String?) {
                let answer = try await service.send(
                    .post, target, body: body, headers: headers, contentLength: length)
                #expect(answer.headers[.contentType] == "application/problem+json")
                return (answer.status, try answer.value("code"))
            }
            #expect(try await refused(length: .some(nil)) == (411, "length-required"))
            #expect(try await refused(length: 1001) == (413, "upload-too-large"))
            #expect(try await refused(length: .max) == (413, "upload-too-large"))
            #expect(try await refused(length: 0) == (400, "upload-empty"))
            #expect(try await refused(length: 999) == (400, "upload-truncated"))
            #expect(try await refused(length: 3) == (400, "upload-too-long"))
            #expect(
                try await refused(headers: [.contentType: "multipart/form-data; boundary=x"])
                    == (415, "upload-multipart"))
            #expect(try await refused("/v1/models?nmae=x") == (400, "query-invalid"))
            #expect(try await refused("/v1/models?name=") == (400, "query-invalid"))
            #expect(try await refused("/v1/models?name=a%0Ab") == (400, "query-invalid"))
            #expect(try await refused("/v1/models?name=a&name=b") == (400, "query-invalid"))
            let zeros = Data(count: 32).base64EncodedString()
            #expect(
                try await refused(headers: [.contentDigest: "sha-256=:\(zeros):"]) == (
                    400, "digest-mismatch"
                ))
            #expect(
                try await refused(headers: [.contentDigest: "sha-256=:AAAA:"]) == (
                    400, "content-digest-malformed"
                ))
            #expect(
                try await refused(headers: [.contentDigest: "md5=:AAAA:"]) == (
                    400, "content-digest-unsupported"
                ))
            let blobs = try FileManager.default.contentsOfDirectory(atPath: service.directory + "/blobs")
            #expect(blobs == [])
        }
    }

    @Test func aFullDiskIsAnsweredBeforeTheBodyIsRead() async throws {
        try await withHarness(freeSpaceFloor: 1 << 60) { service in
            let answer = try await service.send(.post, "/v1/models", body: Data("x".utf8))
            #expect(answer.status == 507)
            #expect(try answer.value("code") == "disk-full")
        }
    }

    @Test func filesThatAreNoArchiveOrThatTheirCheckRefusesAreNotKept() async throws {
        try await withHarness(strict: true) { service in
            let text = try await service.send(
                .post, "/v1/models", body: Data("[check]\nrefuse model-strange".utf8))
            #expect(text.status == 422)
            #expect(try text.value("code") == "model-strange")
            let image = try await service.send(
                .post, "/v1/datasets", body: Data([0x89, 0x50, 0x4E, 0x47]) + Data(count: 5000))
            #expect(image.status == 415)
            #expect(try image.value("code") == "dataset-format-unknown")
            let short = try await service.send(.post, "/v1/datasets", body: Data("PK".utf8))
            #expect(short.status == 415)
            let blobs = try FileManager.default.contentsOfDirectory(atPath: service.directory + "/blobs")
            #expect(blobs == [])
        }
    }

    @Test(arguments: ["die 4", "die 11", "exit 3", "garbage"])
    func anUploadWhoseCheckDiesIsRefusedWithItsCause(end: String) async throws {
        try await withHarness { service in
            let answer = try await service.send(.post, "/v1/models", body: Data("[check]\n\(end)".utf8))
            #expect(answer.status == 422)
            #expect(try answer.value("code") == "upload-check-died")
            #expect(try FileManager.default.contentsOfDirectory(atPath: service.directory + "/blobs") == [])
            // Others go on.
            _ = try await service.upload(Script.model, to: "models")
        }
    }

    /// In one piece and in pieces at the same time, so that both places for checks are taken.
    @Test(arguments: ["stubborn\nhang", "fill 600"])
    func anUploadWhoseCheckDoesNotEndIsRefusedWhileOthersGoOn(end: String) async throws {
        try await withHarness(supervise: {
            if end.hasSuffix("hang") { $0.checkSeconds = 1 }
            $0.checkMemoryBytes = 128 << 20
        }) { service in
            let hostile = Data("[check]\n\(end)".utf8)
            let upload = try await service.send(
                .post, "/v1/uploads?kind=model",
                headers: [.tusResumable: "1.0.0", .uploadLength: "\(hostile.count)"])
            let path = try #require(upload.headers[.location])
            async let whole = service.send(.post, "/v1/models", body: hostile)
            async let pieces = service.send(
                .patch, path, body: hostile,
                headers: [
                    .tusResumable: "1.0.0", .uploadOffset: "0",
                    .contentType: "application/offset+octet-stream",
                ])
            _ = try await service.upload(Script.model, to: "models")
            for answer in [try await whole, try await pieces] {
                #expect(answer.status == 422)
                #expect(try answer.value("code") == "upload-check-died")
                let limit = end.hasPrefix("fill") ? "limits.check_memory" : "limits.check_seconds"
                #expect(
                    try answer.value("detail", as: String.self)?.contains(limit) == true, "\(answer.text)")
            }
            #expect(try await service.send(.get, path).value("state") == "rejected")
        }
    }

    @Test func anInputThatAJobNeedsCannotBeRemoved() async throws {
        try await withHarness { service in
            let model = try await service.upload(Script.endless, to: "models")
            let dataset = try await service.upload(Script.dataset, to: "datasets")
            #expect(try await service.submit("scan", model: model, dataset: dataset).status == 202)
            #expect(try await service.send(.delete, "/v1/models/\(model)").status == 409)
            let answer = try await service.send(.delete, "/v1/datasets/\(dataset)")
            #expect(answer.status == 409)
            #expect(try answer.value("code") == "dataset-in-use")
        }
    }
}
