import Foundation
import HTTPServer
import JobStore
import Testing
import WebAssets

@testable import API

@Suite struct AccessTests {
    /// A route's pattern with an id of the right form.
    private static func target(_ pattern: String) -> String {
        pattern.replacing("{id}", with: "job_00000000000000000000000000")
    }

    private func bearer(_ service: Harness, _ scope: KeyScope, quota: KeyQuota = KeyQuota()) async throws
        -> HTTPFields
    {
        let token = try await service.desk.create(.init(name: "\(scope)", scope: scope, quota: quota)).token
        return [.authorization: "Bearer \(token)"]
    }

    private func paths() throws -> [String: [String: Any]] {
        let document = try JSONSerialization.jsonObject(with: OpenAPI.document) as? [String: Any]
        return try #require(document?["paths"] as? [String: [String: Any]])
    }

    @Test func noMethodOfNoPathIsAnsweredWithoutAKey() async throws {
        try await withHarness { service in
            _ = try await bearer(service, .read)
            var tried = 0
            let others = ["/", "/assets/none", "/assets", "/v1/nothing", "/metrics/x"]
            for pattern in try paths().keys.sorted() + others {
                for method in HTTPMethod.allCases {
                    let open =
                        ["/", "/assets/none", "/healthz", "/readyz"].contains(pattern)
                        && [.get, .head].contains(method)
                    let answer = try await service.send(method, Self.target(pattern), body: Data("{}".utf8))
                    #expect((answer.status == 401) == !open, "\(method) \(pattern): \(answer.status)")
                    guard answer.status == 401 else { continue }
                    #expect(answer.headers[.wwwAuthenticate] == "Bearer realm=\"burn\"")
                    #expect(answer.headers[.contentType] == "application/problem+json")
                    tried += 1
                }
            }
            #expect(tried > 150)
        }
    }

    @Test func everyOperationNeedsItsScope() async throws {
        try await withHarness { service in
            let headers = [
                "read": try await bearer(service, .read), "submit": try await bearer(service, .submit),
                "admin": try await bearer(service, .admin),
            ]
            let scopes = ["open", "read", "submit", "admin"]
            var refused = 0
            for (pattern, operations) in try paths() {
                for (name, value) in operations where name != "parameters" {
                    let method = try #require(HTTPMethod(rawValue: name.uppercased()))
                    let needed = try #require((value as? [String: Any])?["x-scope"] as? String)
                    let route: HTTPMethod = method == .head ? .get : method
                    #expect(service.router.access(route, pattern)?.rawValue == needed, "\(method) \(pattern)")
                    for (scope, headers) in headers {
                        let rank = { scopes.firstIndex(of: $0) ?? -1 }
                        let enough = rank(scope) >= rank(needed)
                        let answer = try await service.send(
                            method, Self.target(pattern), body: method == .post ? Data("{}".utf8) : nil,
                            headers: headers)
                        #expect((answer.status == 403) == !enough, "\(scope): \(method) \(pattern)")
                        guard !enough else { continue }
                        let challenge = answer.headers[.wwwAuthenticate]
                        #expect(challenge?.contains("insufficient_scope\", scope=\"\(needed)\"") == true)
                        refused += 1
                    }
                }
            }
            #expect(refused >= 8)
        }
    }

    @Test func withoutKeysEverythingIsOpenUntilThereIsOne() async throws {
        try await withHarness { service in
            #expect(try await service.send(.get, "/v1/jobs").status == 200)
            let key = try await service.desk.create(.init(name: "a", scope: .read)).key
            #expect(try await service.send(.get, "/v1/jobs").status == 401)
            _ = try await service.desk.revoke(key.id)
            // Revoking the last key does not open the service again.
            #expect(try await service.send(.get, "/v1/jobs").status == 401)
        }
    }

    @Test func onlyTheExactTokenCounts() async throws {
        try await withHarness { service in
            let (key, token) = try await service.desk.create(.init(name: "a", scope: .read))
            func status(_ authorization: String) async throws -> Int {
                try await service.send(.get, "/v1/jobs", headers: [.authorization: authorization]).status
            }
            #expect(try await status("Bearer \(token)") == 200)
            #expect(try await status("bearer \(token)") == 200)
            let other = APIToken(keyID: key.id).text
            let flipped = String(token.dropLast()) + (token.last == "A" ? "B" : "A")
            for wrong in [
                "Bearer \(other)", "Bearer \(flipped)", "Bearer", "Bearer ", "Basic \(token)", token,
                "Bearer \(token)x", "Bearer \(token.dropLast())", "Bearer \(token) \(token)",
                "Bearer " + token.uppercased(), "Bearer \(APIToken(keyID: Identifier.make(.key)).text)",
            ] {
                #expect(try await status(wrong) == 401, "\(wrong)")
            }
            var twice: HTTPFields = [.authorization: "Bearer \(token)"]
            twice.append(HTTPField(name: .authorization, value: "Bearer \(token)"))
            #expect(try await service.send(.get, "/v1/jobs", headers: twice).status == 401)
            _ = try await service.desk.revoke(key.id)
            #expect(try await status("Bearer \(token)") == 401)
        }
    }

    @Test func anExpiredKeyIsRefused() async throws {
        let token = APIToken(keyID: Identifier.make(.key))
        let end = Date(timeIntervalSince1970: 1_000)
        let ring = KeyRing([
            KeyRecord(
                id: token.keyID, name: "a", secretSHA256: token.secretSHA256, scope: .read, expiresAt: end)
        ])
        #expect(try ring.authenticate(token, at: end - 1).id == token.keyID)
        #expect(throws: KeyRing.Refusal.expired) { try ring.authenticate(token, at: end) }
        #expect(ring.hasUsableKey(at: end - 1))
        #expect(!ring.hasUsableKey(at: end))
        #expect(ring.isUsed)
    }

    @Test func tokensHave256RandomBitsAndAreStoredHashed() async throws {
        try await withHarness { service in
            let (key, token) = try await service.desk.create(.init(name: "a", scope: .admin))
            let parsed = try #require(APIToken(token))
            #expect(parsed.keyID == key.id)
            #expect(parsed.secretSHA256 == key.secretSHA256)
            let secret = try #require(token.split(separator: "_", maxSplits: 2).last)
            let padded = String(secret).replacing("-", with: "+").replacing("_", with: "/") + "="
            #expect(Data(base64Encoded: padded)?.count == 32)
            #expect(APIToken(keyID: key.id).text != token)
            // The secret is in none of the database's files.
            let files = try FileManager.default.contentsOfDirectory(atPath: service.directory)
            for file in files where file.hasPrefix("burn.sqlite") {
                let bytes = try Data(contentsOf: URL(filePath: service.directory + "/" + file))
                #expect(bytes.range(of: Data(secret.utf8)) == nil)
            }
        }
    }

    @Test func comparisonsAreRight() {
        #expect(APIToken.constantTimeEqual("abc", "abc"))
        for other in ["abd", "xbc", "ab", "abcd", ""] { #expect(!APIToken.constantTimeEqual("abc", other)) }
    }

    /// What a page may send without asking first, and another port of this machine.
    @Test func aPageOfAnotherPortChangesNothingWithoutKeys() async throws {
        try await withHarness { service in
            let own: HTTPFields = [.hostField: "localhost:8080", .origin: "http://localhost:8080"]
            func upload(_ change: (inout HTTPFields) -> Void) async throws -> Int {
                var headers = own
                change(&headers)
                return try await service.send(
                    .post, "/v1/models", body: Data(Script.model.utf8), headers: headers
                ).status
            }
            #expect(try await upload { _ in } == 201)
            #expect(try await upload { $0[.origin] = "http://localhost:3000" } == 403)
            #expect(try await upload { $0[.origin] = "https://localhost:8080" } == 403)
            #expect(try await upload { $0[.origin] = "http://localhost" } == 403)
            #expect(
                try await upload {
                    $0[.origin] = nil
                    $0[.secFetchSite] = "same-site"
                } == 403)
            for (type, status) in [
                ("text/plain;+json", 415), ("text/plain", 415), ("application/json-patch", 415),
                ("application/json; charset=utf-8", 400),
            ] {
                let answer = try await service.send(
                    .post, "/v1/jobs", body: Data("{}".utf8), headers: [.contentType: type])
                #expect(answer.status == status, "\(type)")
            }
        }
    }

    @Test func aForeignHostOrOriginIsRefused() async throws {
        try await withHarness { service in
            #expect(try await service.send(.get, "/v1/jobs", headers: [.hostField: "evil.net"]).status == 421)
            let answer = try await service.send(
                .post, "/v1/jobs", body: Data("{}".utf8),
                headers: [.hostField: "localhost:8080", .origin: "https://evil.net"])
            #expect(answer.status == 403)
            #expect(answer.headers.allSatisfy { !$0.name.canonicalName.hasPrefix("access-control") })
        }
    }
}
