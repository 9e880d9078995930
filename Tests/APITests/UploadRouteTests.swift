import Foundation
import HTTPServer
import JobStore
import SchemaChecking
import Support
import Testing
import WebAssets

@testable import API

/// Resumable uploads by tus 1.0.
@Suite struct UploadRouteTests {
    private static let tus: HTTPFields = [.tusResumable: "1.0.0"]

    private func create(
        _ service: Harness, _ kind: String = "model", length: Int, headers: HTTPFields = [:]
    ) async throws -> Harness.Answer {
        var all = Self.tus
        all[.uploadLength] = String(length)
        all.append(contentsOf: headers)
        return try await service.send(.post, "/v1/uploads?kind=\(kind)", headers: all)
    }

    private func path(_ created: Harness.Answer) throws -> String {
        try #require(created.headers[.location])
    }

    private func append(
        _ service: Harness, _ path: String, at offset: Int, _ bytes: Data, headers: HTTPFields = [:]
    ) async throws -> Harness.Answer {
        var all = Self.tus
        all[.uploadOffset] = String(offset)
        all[.contentType] = "application/offset+octet-stream"
        for field in headers { all[field.name] = field.value }
        return try await service.send(.patch, path, body: Data(bytes), headers: all)
    }

    @Test func aFileInPiecesBecomesAModel() async throws {
        try await withHarness { service in
            let file = Data(Script.model.utf8)
            let name = Data("resnet.pt2".utf8).base64EncodedString()
            let created = try await create(
                service, length: file.count, headers: [.uploadMetadata: "filename \(name),empty"])
            #expect(created.status == 201)
            #expect(created.headers[.tusResumable] == "1.0.0")
            #expect(created.headers[.uploadExpires]?.hasSuffix("GMT") == true)
            let path = try path(created)
            let first = try await append(service, path, at: 0, file.prefix(10))
            #expect(first.status == 204)
            #expect(first.headers[.uploadOffset] == "10")
            let head = try await service.send(.head, path)
            #expect(head.headers[.uploadOffset] == "10")
            #expect(head.headers[.uploadLength] == String(file.count))
            #expect(head.headers[.uploadMetadata] == "filename \(name),empty")
            #expect(head.headers[.cacheControl] == "no-store")
            let last = try await append(service, path, at: 10, file.dropFirst(10))
            #expect(last.status == 204)
            let model = try #require(last.headers[.link]?.split(separator: ">").first?.dropFirst())
            let record = try await service.send(.get, String(model), headers: [.prefer: "wait=30"])
            #expect(try record.value("state") == "ready")
            #expect(try record.value("name") == "resnet.pt2")
            let digest = Digest.sha256(file).map {
                String($0 >> 4, radix: 16) + String($0 & 15, radix: 16)
            }
            #expect(try record.value("sha256") == digest.joined())
            let done = try await service.send(.get, path)
            #expect(try done.value("state") == "finished")
            #expect(try done.value("links", "input") == String(model))
            #expect(try await append(service, path, at: file.count, Data()).status == 409)
            #expect(try await service.send(.delete, path, headers: Self.tus).status == 204)
            #expect(try await service.send(.get, path).status == 404)
            #expect(try await service.send(.get, String(model)).status == 200)
            let parts = try FileManager.default.contentsOfDirectory(atPath: service.directory + "/uploads")
            #expect(parts == [])
        }
    }

    /// The disk fails: `folder` is a file for a while.
    private func breaking(_ folder: String, _ body: () async throws -> Void) async throws {
        try FileManager.default.moveItem(atPath: folder, toPath: folder + "-away")
        try Data().write(to: URL(filePath: folder))
        try await body()
        try FileManager.default.removeItem(atPath: folder)
        try FileManager.default.moveItem(atPath: folder + "-away", toPath: folder)
    }

    @Test(arguments: [("cache/scratch", "receiving"), ("blobs", "committing")])
    func anUploadThatTheServiceFailedIsTakenUpAgain(folder: String, state: String) async throws {
        try await withHarness { service in
            let file = Data(Script.model.utf8)
            let path = try path(await create(service, length: file.count))
            #expect(try await append(service, path, at: 0, file.dropLast()).status == 204)
            try await breaking(service.directory + "/" + folder) {
                var rest = file.suffix(1)
                for _ in 0..<4 {
                    let failed = try await append(service, path, at: file.count - rest.count, rest)
                    #expect(failed.status == 500)
                    #expect(try failed.value("code") == "file-system")
                    #expect(try failed.value("detail", as: String.self)?.hasSuffix("Not a directory") == true)
                    let upload = try await service.send(.get, path)
                    #expect(try upload.value("state") == state)
                    #expect(try upload.value("offset") == file.count)
                    rest = Data()
                }
            }
            let last = try await append(service, path, at: file.count, Data())
            #expect(last.status == 204)
            let model = try #require(last.headers[.link]?.split(separator: ">").first?.dropFirst())
            let record = try await service.send(.get, String(model), headers: [.prefer: "wait=30"])
            #expect(try record.value("state") == "ready")
        }
    }

    @Test func weightsAloneNameTheirGraphInPiecesToo() async throws {
        try await withHarness { service in
            let whole = try await service.upload(Script.model, to: "models")
            func finish(_ query: String, _ metadata: String?, _ tail: String) async throws -> Harness.Answer {
                let file = Data((Script.model + tail).utf8)
                var headers = Self.tus
                headers[.uploadLength] = String(file.count)
                if let metadata { headers[.uploadMetadata] = metadata }
                let created = try await service.send(.post, "/v1/uploads?" + query, headers: headers)
                try #require(created.status == 201)
                let last = try await append(service, path(created), at: 0, file)
                let input = try #require(last.headers[.link]?.split(separator: ">").first?.dropFirst())
                return try await service.send(.get, String(input), headers: [.prefer: "wait=30"])
            }
            let alone = try await finish("kind=model&skeleton=\(whole)", nil, "# alone\n")
            #expect(try alone.value("skeleton") == whole)
            #expect(try alone.value("state") == "ready")
            let architecture = Data("resnet18".utf8).base64EncodedString()
            let named = try await finish(
                "kind=model&image=64", "architecture \(architecture),filetype", "# named\n")
            #expect(try named.value("architecture") == "resnet18")
            // What the query said is told with the rest.
            var headers = Self.tus
            headers[.uploadMetadata] = "filename YQ=="
            headers[.uploadLength] = "9"
            let created = try await service.send(
                .post, "/v1/uploads?kind=dataset&resize=24", headers: headers)
            #expect(created.status == 201)
            #expect(created.headers[.uploadMetadata] == "filename YQ==,resize MjQ=")
        }
    }

    @Test func aSkeletonThatWasDeletedMeanwhileIsSaid() async throws {
        try await withHarness { service in
            let whole = try await service.upload(Script.model, to: "models")
            let file = Data((Script.model + "# alone\n").utf8)
            var headers = Self.tus
            headers[.uploadLength] = String(file.count)
            let created = try await service.send(
                .post, "/v1/uploads?kind=model&skeleton=\(whole)", headers: headers)
            let path = try path(created)
            #expect(try await append(service, path, at: 0, file.prefix(5)).status == 204)
            #expect(try await service.send(.delete, "/v1/models/\(whole)").status == 204)
            let last = try await append(service, path, at: 5, file.dropFirst(5))
            #expect(last.status == 422)
            #expect(try last.value("code") == "skeleton-gone")
            #expect(try await service.send(.get, path).value("state") == "rejected")
        }
    }

    @Test(arguments: [
        "kind=model&architecture=resnet18&skeleton=x", "kind=model&image=32", "kind=model&resize=3",
        "kind=dataset&resize=0", "kind=dataset&skeleton=x", "kind=dataset&split=all",
    ])
    func optionsThatCannotBeReadAreRefused(query: String) async throws {
        try await withHarness { service in
            var headers = Self.tus
            headers[.uploadLength] = "10"
            let answer = try await service.send(.post, "/v1/uploads?" + query, headers: headers)
            #expect(answer.status == 400)
            #expect(try answer.value("code") == "query-invalid")
        }
    }

    @Test func aSkeletonThatIsNotThereIsSaidAtOnce() async throws {
        try await withHarness { service in
            var headers = Self.tus
            headers[.uploadLength] = "10"
            let answer = try await service.send(
                .post, "/v1/uploads?kind=model&skeleton=mdl_none", headers: headers)
            #expect(answer.status == 404)
            #expect(try answer.value("location") == "skeleton")
        }
    }

    /// The first bytes, or all of them, come with the request that makes the upload.
    @Test(arguments: [5, Script.model.utf8.count])
    func anUploadBeginsWithItsCreation(first: Int) async throws {
        try await withHarness { service in
            let file = Data(Script.model.utf8)
            var headers = Self.tus
            headers[.uploadLength] = String(file.count)
            headers[.contentType] = "application/offset+octet-stream"
            let created = try await service.send(
                .post, "/v1/uploads?kind=model", body: Data(file.prefix(first)), headers: headers)
            #expect(created.status == 201)
            #expect(created.headers[.uploadOffset] == String(first))
            let path = try path(created)
            if first < file.count {
                let last = try await append(service, path, at: first, file.dropFirst(first))
                #expect(last.status == 204)
                #expect(last.headers[.link] != nil)
            }
            #expect(try await service.send(.get, path).value("state") == "finished")
        }
    }

    /// As clients do it behind a proxy that lets GET and POST pass alone.
    @Test func aMethodMayStandInAHeader() async throws {
        try await withHarness { service in
            let file = Data(Script.model.utf8)
            let path = try path(await create(service, length: file.count))
            func post(_ method: String, _ body: Data? = nil, _ headers: HTTPFields = [:]) async throws -> Int
            {
                var headers = headers
                headers[.tusResumable] = "1.0.0"
                headers[HTTPField.Name(literal: "X-HTTP-Method-Override")] = method
                return try await service.send(.post, path, body: body, headers: headers).status
            }
            let piece: HTTPFields = [.contentType: "application/offset+octet-stream", .uploadOffset: "0"]
            #expect(try await post("PATCH", Data(file.prefix(3)), piece) == 204)
            #expect(try await service.send(.head, path).headers[.uploadOffset] == "3")
            #expect(try await post("GET") == 405)
            #expect(try await post("DELETE") == 204)
            #expect(try await service.send(.get, path).status == 404)
        }
    }

    @Test func theServerSaysWhatItCanDo() async throws {
        try await withHarness { service in
            let answer = try await service.send(.options, "/v1/uploads")
            #expect(answer.status == 204)
            #expect(answer.headers[.tusVersion] == "1.0.0")
            #expect(
                answer.headers[.tusExtension]
                    == "creation,creation-with-upload,expiration,checksum,termination")
            #expect(answer.headers[.tusChecksumAlgorithm] == "sha1,sha256,sha512")
            #expect(answer.headers[.tusMaxSize] == String(64 << 30))
        }
    }

    @Test(arguments: Digest.Algorithm.allCases)
    func aPieceThatDoesNotMatchItsChecksumIsDropped(algorithm: Digest.Algorithm) async throws {
        func digest(_ data: Data) -> String {
            var digest = Digest(algorithm)
            digest.update(data)
            return Data(digest.bytes).base64EncodedString()
        }
        try await withHarness { service in
            let file = Data(Script.model.utf8)
            let path = try path(await create(service, length: file.count))
            #expect(try await append(service, path, at: 0, file.prefix(4)).status == 204)
            let rest = file.dropFirst(4)
            let wrong = try await append(
                service, path, at: 4, rest, headers: [.uploadChecksum: "\(algorithm) \(digest(file))"])
            #expect(wrong.status == 460)
            #expect(try wrong.value("code") == "checksum-mismatch")
            #expect(try await service.send(.head, path).headers[.uploadOffset] == "4")
            let right = try await append(
                service, path, at: 4, rest, headers: [.uploadChecksum: "\(algorithm) \(digest(rest))"])
            #expect(right.status == 204)
            #expect(right.headers[.link] != nil)
        }
    }

    @Test func whatBreaksTheProtocolIsRefused() async throws {
        try await withHarness(limits: .init(modelBytes: 1000)) { (service: Harness) async throws in
            func refused(_ target: String, _ headers: HTTPFields, body: Data? = nil) async throws -> (
                Int, String?
            ) {
                let answer = try await service.send(.post, target, body: body, headers: headers)
                #expect(answer.headers[.tusResumable] == "1.0.0")
                return (answer.status, try answer.value("code"))
            }
            let uploads = "/v1/uploads?kind=model"
            let length: HTTPFields = [.tusResumable: "1.0.0", .uploadLength: "10"]
            #expect(try await refused(uploads, [.uploadLength: "10"]) == (412, "tus-version"))
            #expect(
                try await refused(uploads, [.tusResumable: "0.2.2", .uploadLength: "1"])
                    == (412, "tus-version"))
            #expect(try await refused(uploads, Self.tus) == (400, "upload-header-invalid"))
            for bad in ["", "-1", "1e3", "+5", "99999999999999999999", "5,6"] {
                #expect(
                    try await refused(uploads, [.tusResumable: "1.0.0", .uploadLength: bad])
                        == (400, "upload-header-invalid"))
            }
            #expect(
                try await refused(uploads, [.tusResumable: "1.0.0", .uploadLength: "0"])
                    == (400, "upload-empty"))
            #expect(
                try await refused(uploads, [.tusResumable: "1.0.0", .uploadLength: "1001"])
                    == (413, "upload-too-large"))
            #expect(try await refused("/v1/uploads", length) == (400, "upload-kind-missing"))
            #expect(try await refused("/v1/uploads?kind=job", length) == (400, "upload-kind-missing"))
            #expect(try await refused("/v1/uploads?kind=model&x=1", length) == (400, "query-invalid"))
            #expect(
                try await refused(uploads, length, body: Data("x".utf8)) == (415, "content-type-not-offset"))
            var long = length
            long[.contentType] = "application/offset+octet-stream"
            #expect(
                try await refused(uploads, long, body: Data("12345678901".utf8)) == (413, "upload-too-long"))
            var joined = length
            joined[HTTPField.Name(literal: "Upload-Concat")] = "final;/v1/uploads/a /v1/uploads/b"
            #expect(try await refused(uploads, joined) == (400, "upload-concat-unsupported"))
            var coded = length
            coded[.contentEncoding] = "gzip"
            #expect(
                try await service.send(.post, uploads, body: Data("x".utf8), headers: coded).status == 415)
            for bad in ["filename !!", "a YQ==,a YQ==", "a b c", String(repeating: "a", count: 5_000)] {
                var headers = length
                headers[.uploadMetadata] = bad
                #expect(try await refused(uploads, headers) == (400, "upload-metadata-invalid"))
            }
            var digest = length
            digest[.reprDigest] = "sha-256=:AAAA:"
            #expect(try await refused(uploads, digest) == (400, "content-digest-malformed"))
        }
    }

    @Test func aPieceThatDoesNotFitIsRefusedAndChangesNothing() async throws {
        try await withHarness { service in
            let path = try path(await create(service, length: 10))
            func refused(at offset: Int = 0, _ bytes: Int = 4, _ headers: HTTPFields = [:]) async throws -> (
                Int, String?
            ) {
                let answer = try await append(
                    service, path, at: offset, Data(count: bytes), headers: headers)
                return (answer.status, try answer.value("code"))
            }
            #expect(try await refused(at: 1) == (409, "upload-offset-mismatch"))
            #expect(try await refused(at: 0, 11) == (413, "upload-too-long"))
            #expect(
                try await refused(at: 0, 4, [.contentType: "text/plain"]) == (
                    415, "content-type-not-offset"
                ))
            #expect(try await refused(at: 0, 4, [.tusResumable: "2.0.0"]) == (412, "tus-version"))
            #expect(try await refused(at: 0, 4, [.uploadOffset: "x"]) == (400, "upload-header-invalid"))
            #expect(
                try await refused(at: 0, 4, [.uploadChecksum: "md5 AAAA"]) == (400, "checksum-unsupported"))
            #expect(
                try await refused(at: 0, 4, [.uploadChecksum: "sha1 AAAA"]) == (400, "checksum-malformed"))
            #expect(try await service.send(.head, path).headers[.uploadOffset] == "0")
            #expect(try await service.send(.delete, path).status == 412)
            #expect(try await service.send(.delete, path, headers: Self.tus).status == 204)
            #expect(try await refused() == (404, "upload-not-found"))
        }
    }

    @Test func anUploadTakesOneRequestAtATime() async throws {
        try await withHarness { service in
            let path = try path(await create(service, length: 10))
            let head = try HTTPRequestHead(
                method: .patch, target: path,
                headers: [
                    .tusResumable: "1.0.0", .uploadOffset: "0",
                    .contentType: "application/offset+octet-stream",
                ], contentLength: 4)
            guard case .stream(let sink, _) = await service.router.begin(head).body else {
                Issue.record("no sink")
                return
            }
            #expect(try await append(service, path, at: 0, Data(count: 4)).status == 423)
            #expect(try await service.send(.delete, path, headers: Self.tus).status == 423)
            // The connection is lost after two bytes: they stay.
            try Data(count: 2).withUnsafeBytes { try sink.write($0) }
            sink.abort()
            #expect(try await service.send(.head, path).headers[.uploadOffset] == "2")
            #expect(try await append(service, path, at: 2, Data(count: 4)).status == 204)
        }
    }

    @Test func aFileThatIsNoArchiveIsRefusedWithItsFirstBytes() async throws {
        try await withHarness(strict: true) { service in
            let path = try path(await create(service, "dataset", length: 100_000))
            let answer = try await append(service, path, at: 0, Data(count: 1_000))
            #expect(answer.status == 415)
            #expect(try await service.send(.get, path).value("state") == "rejected")
            #expect(try await service.send(.get, path).value("problem", "code") == "dataset-format-unknown")
            #expect(try await append(service, path, at: 1_000, Data(count: 10)).status == 415)
            let parts = try FileManager.default.contentsOfDirectory(atPath: service.directory + "/uploads")
            #expect(parts == [])
        }
    }

    @Test func aFileThatDoesNotMatchItsDigestIsRejected() async throws {
        try await withHarness { service in
            let zeros = Data(count: 32).base64EncodedString()
            let path = try path(
                await create(service, length: 4, headers: [.reprDigest: "sha-256=:\(zeros):"]))
            let answer = try await append(service, path, at: 0, Data(count: 4))
            #expect(answer.status == 400)
            #expect(try answer.value("code") == "digest-mismatch")
            #expect(try await service.send(.get, path).value("state") == "rejected")
        }
    }

    @Test func roomIsReservedBeforeTheFirstByte() async throws {
        try await withHarness(freeSpaceFloor: 1 << 60) { (service: Harness) async throws in
            #expect(try await create(service, length: 10).status == 507)
        }
        try await withHarness(limits: .init(modelBytes: .max, unfinishedUploads: 2)) { service in
            #expect(try await create(service, length: 1 << 50).status == 507)
            let path = try path(await create(service, length: 8 << 20))
            let id = try #require(path.split(separator: "/").last)
            var status = stat()
            #expect(stat(service.directory + "/uploads/\(id).part", &status) == 0)
            #expect(status.st_size == 0 && status.st_blocks * 512 >= 8 << 20)
            #expect(try await create(service, length: 1).status == 201)
            #expect(try await create(service, length: 1).status == 429)
        }
    }

    @Test func theDescribedFieldsAreTheOnesSent() async throws {
        try await withHarness { service in
            let created = try await create(service, length: 10)
            let document = try #require(
                try JSONSerialization.jsonObject(with: OpenAPI.document) as? [String: Any])
            let faults = SchemaChecker(document: document).faults(
                try created.json, ["$ref": "#/components/schemas/Upload"], at: "Upload")
            #expect(faults == [])
            let components = try #require(document["components"] as? [String: Any])
            let schemas = try #require(components["schemas"] as? [String: [String: Any]])
            #expect(schemas["UploadState"]?["enum"] as? [String] == UploadState.allCases.map(\.rawValue))
        }
    }

    @Test func aRemovedJobIsGone() async throws {
        try await withHarness { service in
            let id = try await service.finishedJob("purify", script: Script.purification)
            let blobs = service.directory + "/blobs"
            #expect(try FileManager.default.contentsOfDirectory(atPath: blobs).count == 3)
            #expect(try await service.send(.delete, "/v1/jobs/\(id)").status == 204)
            for suffix in ["", "/samples", "/events", "/metrics", "/model", "/labels"] {
                let answer = try await service.send(.get, "/v1/jobs/\(id)\(suffix)")
                #expect(answer.status == 410, "\(suffix) \(answer.text)")
                #expect(try answer.value("code") == "job-removed")
            }
            #expect(try await service.send(.delete, "/v1/jobs/\(id)").status == 410)
            #expect(try FileManager.default.contentsOfDirectory(atPath: blobs).count == 2)
        }
    }

    @Test func aJobThatRunsIsNotRemoved() async throws {
        try await withHarness { service in
            let model = try await service.upload(Script.endless, to: "models")
            let dataset = try await service.upload(Script.dataset, to: "datasets")
            let job: String = try #require(
                try await service.submit("scan", model: model, dataset: dataset, more: #", "priority": 3"#)
                    .value("id"))
            #expect(try await service.send(.get, "/v1/jobs/\(job)").value("priority") == 3)
            #expect(try await service.send(.delete, "/v1/jobs/\(job)").status == 409)
            let wrong = try await service.submit(
                "scan", model: model, dataset: dataset, more: #", "priority": 11"#)
            #expect(wrong.status == 400)
        }
    }
}
