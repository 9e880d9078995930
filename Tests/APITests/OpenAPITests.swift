import API
import Foundation
import HTTPServer
import JobStore
import SchemaChecking
import Testing
import WebAssets

@Suite struct OpenAPITests {
    private var document: [String: Any] {
        get throws {
            try #require(try JSONSerialization.jsonObject(with: OpenAPI.document) as? [String: Any])
        }
    }

    @Test func theDocumentIsTheFile() throws {
        let file = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../../Sources/WebAssets/openapi.json").standardizedFileURL
        #expect(try Data(contentsOf: file) == OpenAPI.document)
    }

    @Test func theDocumentIsOfThisVersion() throws {
        #expect((try document["info"] as? [String: Any])?["version"] as? String == Release.version)
    }

    @Test func everyRouteIsDescribedAndEveryDescriptionIsARoute() async throws {
        try await withHarness { service in
            // The dashboard's files are no part of the API.
            let table = service.router.table.filter { $0.pattern != "/" && !$0.pattern.hasPrefix("/assets/") }
            var routes = Set(table.map { "\($0.method.rawValue) \($0.pattern)" })
            let paths = try #require(try document["paths"] as? [String: [String: Any]])
            var described: Set<String> = []
            for (path, operations) in paths {
                for method in operations.keys where method != "parameters" {
                    described.insert("\(method.uppercased()) \(path)")
                }
            }
            // HEAD is answered by the routes of GET; it is described for the downloads.
            for head in described where head.hasPrefix("HEAD ") {
                let get = "GET " + head.dropFirst(5)
                #expect(routes.contains(get), "\(head)")
                routes.insert(head)
            }
            #expect(routes == described)
        }
    }

    @Test func everyReferenceLeadsSomewhere() throws {
        let document = try document
        var references: [String] = []
        func collect(_ value: Any) {
            if let fields = value as? [String: Any] {
                if let reference = fields["$ref"] as? String { references.append(reference) }
                fields.values.forEach(collect)
            } else if let items = value as? [Any] {
                items.forEach(collect)
            }
        }
        collect(document)
        #expect(references.count > 50)
        for reference in references {
            var current: Any? = document
            for name in reference.split(separator: "/").dropFirst() {
                current = (current as? [String: Any])?[String(name)]
            }
            #expect(current != nil, "\(reference)")
        }
    }

    @Test func everyErrorIsAProblemAndEveryOperationHasAName() throws {
        let paths = try #require(try document["paths"] as? [String: [String: Any]])
        var names: Set<String> = []
        for (path, operations) in paths {
            for (method, value) in operations where method != "parameters" {
                let operation = try #require(value as? [String: Any])
                let name = try #require(operation["operationId"] as? String)
                #expect(names.insert(name).inserted, "\(name)")
                let responses = try #require(operation["responses"] as? [String: [String: Any]])
                for (status, response) in responses
                where status >= "400" && method != "head" && path != "/readyz" {
                    let reference = response["$ref"] as? String
                    #expect(
                        reference?.hasPrefix("#/components/responses/") == true, "\(method) \(path) \(status)"
                    )
                }
            }
        }
    }

    @Test func theDescribedFieldsAreTheOnesSent() async throws {
        try await withHarness { service in
            let id = try await service.finishedJob("purify", script: Script.shown)
            let reviews = #"{"items": [{"index": 3, "decision": "relabel", "label": 1}]}"#
            _ = try await service.send(.put, "/v1/jobs/\(id)/reviews", body: Data(reviews.utf8))
            let token = try await service.desk.create(.init(name: "reader", scope: .admin)).token
            let (model, dataset) = (
                try await service.store.job(id).request.model, try await service.store.job(id).request.dataset
            )
            let answers = [
                ("Job", "/v1/jobs/\(id)"), ("JobPage", "/v1/jobs"), ("ModelPage", "/v1/models"),
                ("DatasetPage", "/v1/datasets"), ("SamplePage", "/v1/jobs/\(id)/samples"),
                ("EventPage", "/v1/jobs/\(id)/events"), ("JobMetrics", "/v1/jobs/\(id)/metrics"),
                ("Version", "/v1/version"), ("Health", "/readyz"), ("Problem", "/v1/jobs/none"),
                ("Evidence", "/v1/jobs/\(id)/evidence"), ("Curves", "/v1/jobs/\(id)/curves"),
                ("Triggers", "/v1/jobs/\(id)/triggers"), ("Assessment", "/v1/jobs/\(id)/assessment"),
                ("Sample", "/v1/jobs/\(id)/samples/3"), ("ReviewPage", "/v1/jobs/\(id)/reviews"),
                ("System", "/v1/system"), ("Keys", "/v1/keys"), ("Model", "/v1/models/\(model)"),
                ("Dataset", "/v1/datasets/\(dataset)"),
            ]
            let checker = SchemaChecker(document: try document)
            for (schema, path) in answers {
                let answer = try await service.send(
                    .get, path, headers: [.authorization: "Bearer \(token)"])
                let body = try JSONSerialization.jsonObject(with: answer.body)
                #expect(checker.faults(body, ["$ref": "#/components/schemas/\(schema)"], at: schema) == [])
            }
        }
    }

    @Test func theExamplesFitTheirSchemas() throws {
        let document = try document
        let components = try #require(document["components"] as? [String: Any])
        let schemas = try #require(components["schemas"] as? [String: [String: Any]])
        let checker = SchemaChecker(document: document)
        var checked = 0
        for (name, schema) in schemas {
            for example in schema["examples"] as? [Any] ?? [] {
                #expect(checker.faults(example, schema, at: name) == [])
                checked += 1
            }
        }
        #expect(checked >= 10)
    }

    @Test func theEnumerationsAreComplete() throws {
        let components = try #require(try document["components"] as? [String: Any])
        let schemas = try #require(components["schemas"] as? [String: [String: Any]])
        #expect(schemas["JobState"]?["enum"] as? [String] == JobState.allCases.map(\.rawValue))
        #expect(schemas["ArtifactState"]?["enum"] as? [String] == InputState.allCases.map(\.rawValue))
    }
}
