import Findings
import Foundation
import HTTPServer
import Testing

@testable import API

@Suite struct ImportOptionTests {
    @Test func weightsAloneNameTheirGraph() async throws {
        try await withHarness { service in
            let whole = try await service.upload(Script.model, to: "models")
            let alone = try await service.send(
                .post, "/v1/models?skeleton=\(whole)", body: Data((Script.model + "# alone\n").utf8),
                headers: [.prefer: "wait=30"])
            #expect(alone.status == 201)
            #expect(try alone.value("skeleton") == whole)
            #expect(try alone.value("state") == "ready")
            let named = try await service.send(
                .post, "/v1/models?architecture=resnet18&image=64",
                body: Data((Script.model + "# named\n").utf8), headers: [.prefer: "wait=30"])
            #expect(try named.value("architecture") == "resnet18")
            let chosen = try await service.send(
                .post, "/v1/models?architecture=resnet18&weights=state_dict_ema",
                body: Data((Script.model + "# chosen\n").utf8), headers: [.prefer: "wait=30"])
            #expect(try chosen.value("weights") == "state_dict_ema")

            // The skeleton stays while another model needs it.
            let refused = try await service.send(.delete, "/v1/models/\(whole)")
            #expect(refused.status == 409)
            #expect(try refused.value("code") == "model-in-use")
            let id: String = try #require(try alone.value("id"))
            #expect(try await service.send(.delete, "/v1/models/\(id)").status == 204)
            #expect(try await service.send(.delete, "/v1/models/\(whole)").status == 204)
        }
    }

    @Test func aSkeletonThatIsNotThereIsSaidAtOnce() async throws {
        try await withHarness { service in
            let answer = try await service.send(
                .post, "/v1/models?skeleton=mdl_none", body: Data(Script.model.utf8))
            #expect(answer.status == 404)
            #expect(try answer.value("location") == "skeleton")
        }
    }

    /// As other query parameters do.
    @Test(arguments: ["true", "false", "1", "0"]) func flagsAreReadInOneWay(text: String) async throws {
        try await withHarness { service in
            let answer = try await service.send(
                .post, "/v1/datasets?skip_damaged=\(text)&empty_classes=\(text)",
                body: Data(Script.dataset.utf8), headers: [.prefer: "wait=30"])
            #expect(answer.status == 201, "\(answer.text)")
            let listed = try await service.send(.get, "/v1/jobs/job_none/samples?flagged=\(text)")
            #expect(listed.status == 404)
        }
    }

    @Test(arguments: [
        "models?architecture=resnet18&skeleton=x", "models?image=32", "models?architecture=a&image=0",
        "models?resize=3", "models?weights=ema", "datasets?resize=0", "datasets?resize=3x",
        "datasets?crop=1x2x3",
        "datasets?alpha=no",
        "datasets?layout=tree", "datasets?orientation=left", "datasets?split=all", "datasets?skeleton=x",
        "datasets?images=0", "datasets?images=99999999", "datasets?skip_damaged=yes",
        "datasets?empty_classes=",
    ])
    func whatCannotBeReadIsRefused(query: String) async throws {
        try await withHarness { service in
            let answer = try await service.send(.post, "/v1/\(query)", body: Data(Script.model.utf8))
            #expect(answer.status == 400)
            #expect(try answer.value("code") == "query-invalid")
        }
    }

    @Test func aSetThatWillNotFitIsRefusedBeforeItIsSent() async throws {
        try await withHarness { service in
            // 5,000,000 images of 2048 x 2048 are 63 TB.
            for path in [
                "/v1/datasets?images=5000000&crop=2048", "/v1/datasets?images=5000000&resize=2048x2048",
            ] {
                let answer = try await service.send(.post, path, body: Data(Script.model.utf8))
                #expect(answer.status == 507)
                #expect(try answer.value("code") == "dataset-space")
            }
            let headers: HTTPFields = [.tusResumable: "1.0.0", .uploadLength: "1000"]
            let piecewise = try await service.send(
                .post, "/v1/uploads?kind=dataset&images=5000000&crop=2048", headers: headers)
            #expect(piecewise.status == 507)
            let small = try await service.send(
                .post, "/v1/uploads?kind=dataset&images=10&crop=8", headers: headers)
            #expect(small.status == 201)
        }
    }

    /// Neither in the query nor in Upload-Metadata.
    @Test func optionsOfTheOtherKindAreRefused() async throws {
        try await withHarness { service in
            func create(_ kind: String, _ query: String, metadata: String? = nil) async throws -> Int {
                var headers: HTTPFields = [.tusResumable: "1.0.0", .uploadLength: "1000"]
                headers[.uploadMetadata] = metadata.map {
                    "\($0) \(Data("32".utf8).base64EncodedString())"
                }
                return try await service.send(.post, "/v1/uploads?kind=\(kind)\(query)", headers: headers)
                    .status
            }
            let statuses = [
                try await create("model", "&layout=folders"),
                try await create("model", "", metadata: "resize"),
                try await create("dataset", "", metadata: "image"),
                try await create("dataset", "&layout=folders&orientation=upright", metadata: "resize"),
            ]
            #expect(statuses == [400, 400, 400, 201])
        }
    }

    @Test func aClassOrderIsTakenInEveryForm() async throws {
        try await withHarness { service in
            let model = try await service.upload(Script.scan, to: "models")
            let dataset = try await service.upload(Script.dataset, to: "datasets")
            for classes in [
                #"["a", "b"]"#, #"{"0": "a", "1": "b"}"#, #"{"a": 0, "b": 1}"#,
                #"{"id2label": {"0": "a", "1": "b"}}"#,
            ] {
                let answer = try await service.submit(
                    "scan", model: model, dataset: dataset, more: #", "options": {"classes": \#(classes)}"#)
                #expect(answer.status < 300, "\(classes)")
                let mapping: [String: Int]? = try answer.value("options", "classes")
                #expect(mapping == ["a": 0, "b": 1])
            }
        }
    }

    @Test func sizesAreReadAsTheyAreWritten() {
        #expect(ImportRules.resize("256") == .shorterSide(256))
        #expect(ImportRules.resize("256x320") == .exactly(.init(height: 256, width: 320)))
        #expect(ImportRules.size("224") == .init(height: 224, width: 224))
        for text in ["", "x", "0", "2049", "1x", "-1", "1x2x3", "a"] {
            #expect(ImportRules.resize(text) == nil && ImportRules.size(text) == nil, "\(text)")
        }
    }
}
