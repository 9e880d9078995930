import Foundation
import HTTPServer
import JobStore
import Testing
import WebAssets

@testable import API

/// Who may do what to whose things: every operation of the OpenAPI document, asked by every kind of key.
@Suite struct OwnershipTests {
    private enum Asker: String, CaseIterable {
        case nobody, reader, stranger, owner, admin

        var scope: KeyScope? {
            switch self {
            case .nobody: nil
            case .reader: .read
            case .stranger, .owner: .submit
            case .admin: .admin
            }
        }

        /// As the tables of docs/rest.md and docs/threat-model.md say; nil: let in.
        func refusal(scope needed: String, ownerOnly: Bool) -> Int? {
            let scopes = ["open", "read", "submit", "admin"]
            guard needed != "open" else { return nil }
            guard let scope else { return 401 }
            if let own = scopes.firstIndex(of: scope.rawValue), let least = scopes.firstIndex(of: needed),
                own < least
            {
                return 403
            }
            return ownerOnly && self != .owner && self != .admin ? 404 : nil
        }
    }

    private struct Operation {
        var method: HTTPMethod
        var pattern: String
        var scope: String
        var ownerOnly: Bool

        /// What `{id}` stands for.
        var kind: OwnedKind? {
            pattern.contains("{id}")
                ? OwnedKind.allCases.first { pattern.hasPrefix("/v1/\($0.table)/") } : nil
        }
        func target(_ id: String) -> String {
            pattern.replacing("{id}", with: id).replacing("{index}", with: "0").replacing(
                "{label}", with: "0")
        }
    }

    private static func operations() throws -> [Operation] {
        let document = try JSONSerialization.jsonObject(with: OpenAPI.document) as? [String: Any]
        let paths = try #require(document?["paths"] as? [String: [String: Any]])
        return try paths.sorted { $0.key < $1.key }.flatMap { pattern, members in
            try members.filter { $0.key != "parameters" }.map { name, value in
                let fields = try #require(value as? [String: Any])
                return Operation(
                    method: try #require(HTTPMethod(rawValue: name.uppercased())), pattern: pattern,
                    scope: try #require(fields["x-scope"] as? String),
                    ownerOnly: fields["x-owner"] as? Bool ?? false)
            }
        }
    }

    /// Makes things with one key after the other.
    private struct Maker {
        let service: Harness
        let headers: HTTPFields
        let model, dataset: String

        init(_ service: Harness, _ headers: HTTPFields) async throws {
            (self.service, self.headers) = (service, headers)
            model = try await Self.upload(Script.endless, to: "models", service, headers)
            dataset = try await Self.upload(Script.dataset, to: "datasets", service, headers)
        }

        private static func upload(
            _ script: String, to collection: String, _ service: Harness, _ headers: HTTPFields
        ) async throws -> String {
            let answer = try await service.send(
                .post, "/v1/\(collection)", body: Data(script.utf8), headers: headers)
            return try #require(try answer.value("id"))
        }

        func make(_ kind: OwnedKind) async throws -> String {
            switch kind {
            case .model: return try await Self.upload(Script.model, to: "models", service, headers)
            case .dataset: return try await Self.upload(Script.dataset, to: "datasets", service, headers)
            case .job:
                return try #require(
                    try await service.submit("scan", model: model, dataset: dataset, headers: headers)
                        .value("id"))
            case .upload:
                var headers = headers
                headers[.tusResumable] = "1.0.0"
                headers[.uploadLength] = "\(Script.dataset.utf8.count)"
                return try #require(
                    try await service.send(.post, "/v1/uploads?kind=dataset", headers: headers).value("id"))
            }
        }
    }

    private static func ask(_ service: Harness, _ operation: Operation, _ id: String, _ headers: HTTPFields)
        async throws -> Harness.Answer
    {
        var headers = headers
        var body: Data?
        switch (operation.method, operation.kind) {
        case (.patch, .upload):
            headers[.uploadOffset] = "0"
            headers[.contentType] = "application/offset+octet-stream"
            body = Data(Script.dataset.utf8)
        case (.put, .job): body = Data(#"{"items": [{"index": 0, "decision": "accept"}]}"#.utf8)
        case (.post, nil): body = Data("{}".utf8)
        default: break
        }
        if operation.kind == .upload { headers[.tusResumable] = "1.0.0" }
        return try await service.send(operation.method, operation.target(id), body: body, headers: headers)
    }

    @Test func everyOperationTimesEveryKeyAnswersAsTheTableSays() async throws {
        try await withHarness { service in
            var headers: [Asker: HTTPFields] = [.nobody: [:]]
            for asker in Asker.allCases {
                guard let scope = asker.scope else { continue }
                let token = try await service.desk.create(.init(name: asker.rawValue, scope: scope)).token
                headers[asker] = [.authorization: "Bearer \(token)"]
            }
            let maker = try await Maker(service, try #require(headers[.owner]))
            var shared: [OwnedKind: String] = [:]
            for kind in OwnedKind.allCases { shared[kind] = try await maker.make(kind) }
            var refused: [Int: Int] = [:]
            for operation in try Self.operations() {
                // Whatever changes one thing belongs to somebody.
                let changes = operation.kind != nil && operation.scope == "submit"
                #expect(operation.ownerOnly || !changes, "\(operation)")
                for asker in Asker.allCases {
                    let refusal = asker.refusal(scope: operation.scope, ownerOnly: operation.ownerOnly)
                    var id = operation.kind.flatMap { shared[$0] } ?? "none"
                    if changes, refusal == nil, let kind = operation.kind { id = try await maker.make(kind) }
                    let asked = try await Self.ask(service, operation, id, headers[asker] ?? [:])
                    let place = "\(asker) \(operation.method) \(operation.pattern): \(asked.status)"
                    if let refusal {
                        #expect(asked.status == refusal, "\(place)")
                        refused[refusal, default: 0] += 1
                    } else {
                        let hidden = operation.ownerOnly ? [401, 403, 404] : [401, 403]
                        #expect(!hidden.contains(asked.status), "\(place) \(asked.text)")
                    }
                    guard refusal == 404, let kind = operation.kind else { continue }
                    let unknown = Identifier.make(kind.prefix)
                    let nothing = try await Self.ask(service, operation, unknown, headers[asker] ?? [:])
                    #expect(nothing.status == 404)
                    #expect(asked.text.replacing(id, with: unknown) == nothing.text, "\(place)")
                    #expect(asked.headers.map(\.name) == nothing.headers.map(\.name))
                }
            }
            #expect(refused[401, default: 0] > 40 && refused[403, default: 0] > 15)
            #expect(refused[404, default: 0] >= 12)
        }
    }

    @Test func whatWasMadeWithoutAKeyIsTheAdministratorsOnceThereAreKeys() async throws {
        try await withHarness { service in
            let model = try await service.upload(Script.model, to: "models")
            func headers(_ scope: KeyScope) async throws -> HTTPFields {
                let token = try await service.desk.create(.init(name: "k", scope: scope)).token
                return [.authorization: "Bearer \(token)"]
            }
            let submitter = try await headers(.submit)
            #expect(try await service.send(.get, "/v1/models/\(model)", headers: submitter).status == 200)
            #expect(try await service.send(.delete, "/v1/models/\(model)", headers: submitter).status == 404)
            let admin = try await headers(.admin)
            #expect(try await service.send(.delete, "/v1/models/\(model)", headers: admin).status == 204)
        }
    }

    @Test func theOwnerOfARemovedJobLearnsThatItIsGone() async throws {
        try await withHarness { service in
            let token = try await service.desk.create(.init(name: "k", scope: .submit)).token
            let other = try await service.desk.create(.init(name: "l", scope: .submit)).token
            let mine: HTTPFields = [.authorization: "Bearer \(token)"]
            let job = try await Maker(service, mine).make(.job)
            while try await service.store.job(job).state == .queued { await Task.yield() }
            _ = try await service.send(.post, "/v1/jobs/\(job)/cancel", headers: mine)
            _ = try await service.queue.waitForJob(job, timeout: .seconds(30))
            #expect(try await service.send(.delete, "/v1/jobs/\(job)", headers: mine).status == 204)
            #expect(try await service.send(.delete, "/v1/jobs/\(job)", headers: mine).status == 410)
            let stranger: HTTPFields = [.authorization: "Bearer \(other)"]
            #expect(try await service.send(.delete, "/v1/jobs/\(job)", headers: stranger).status == 404)
        }
    }
}

extension OwnedKind {
    fileprivate var prefix: Identifier.Prefix {
        switch self {
        case .model: .model
        case .dataset: .dataset
        case .upload: .upload
        case .job: .job
        }
    }
}
