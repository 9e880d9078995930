import API
import Foundation
import HTTPServer
import Testing
import WebAssets

@Suite struct DashboardTests {
    private static let folder = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "../../Sources/WebAssets/Dashboard").standardizedFileURL

    @Test func everyFileOfTheFolderIsServedAsItIs() async throws {
        let found =
            FileManager.default.enumerator(atPath: Self.folder.path)?.compactMap { $0 as? String } ?? []
        let paths = found.filter { $0.contains(".") && $0 != "index.html" }.sorted()
        #expect(paths == Dashboard.current.paths)
        try await withHarness { service in
            for path in paths {
                let answer = try await service.send(.get, "/assets/\(Dashboard.current.version)/\(path)")
                #expect(answer.status == 200, "\(path)")
                #expect(answer.body == FileManager.default.contents(atPath: Self.folder.path + "/" + path))
                #expect(answer.headers[.cacheControl] == "public, max-age=31536000, immutable")
                let type = try #require(answer.headers[.contentType])
                #expect(
                    ["text/javascript; charset=utf-8", "text/css; charset=utf-8", "image/svg+xml"].contains(
                        type))
            }
        }
    }

    @Test func thePageNeedsNoKeyAndLetsNothingForeignIn() async throws {
        try await withHarness { service in
            _ = try await service.desk.create(.init(name: "some", scope: .read))
            #expect(try await service.send(.get, "/v1/jobs").status == 401)
            let page = try await service.send(.get, "/")
            #expect(page.status == 200)
            #expect(page.headers[.contentType] == "text/html; charset=utf-8")
            let policy = try #require(page.headers[.contentSecurityPolicy])
            #expect(policy.hasPrefix("default-src 'self'; img-src 'self' blob:;"))
            #expect(!policy.contains("unsafe"))
            #expect(page.headers[.cacheControl] == "no-cache")
            #expect(!page.text.contains("{version}"))
            // All that it names is there.
            for match in page.text.matches(of: /(?:href|src)="(\/[^"]*)"/) {
                #expect(try await service.send(.get, String(match.1)).status == 200, "\(match.1)")
            }
        }
    }

    @Test func whatABrowserHasIsNotSentAgain() async throws {
        try await withHarness { service in
            let page = try await service.send(.get, "/")
            let tag = try #require(page.headers[.eTag])
            for known in [tag, "W/" + tag, "\"other\", " + tag, "*"] {
                let again = try await service.send(.get, "/", headers: [.ifNoneMatch: known])
                #expect(again.status == 304 && again.body.isEmpty, "\(known)")
                #expect(again.headers[.eTag] == tag)
            }
            #expect(try await service.send(.get, "/", headers: [.ifNoneMatch: "\"other\""]).status == 200)
        }
    }

    /// Otherwise a base path could begin like one of them, and an address would lead to two places.
    @Test func whatTheServicesPathsBeginWithIsKnown() async throws {
        try await withHarness { #expect($0.router.names == RESTService.names) }
    }

    @Test(arguments: [
        "/assets/app.js", "/assets/0000000000000000/app.js", "/assets/VERSION/", "/assets/VERSION/index.html",
        "/assets/VERSION/none.js", "/assets/VERSION/../app.js", "/assets/VERSION/%2e%2e/app.js",
        "/assets/VERSION/core%2fdom.js",
    ])
    func nothingElseIsServed(path: String) async throws {
        try await withHarness { service in
            let path = path.replacing("VERSION", with: Dashboard.current.version)
            let answer = try await service.send(.get, path)
            #expect(answer.status == 404)
            #expect(answer.headers[.contentType] == "application/problem+json")
        }
    }
}
