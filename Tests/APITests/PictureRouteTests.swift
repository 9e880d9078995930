import Foundation
import HTTPServer
import Testing

@testable import API

@Suite struct PictureRouteTests {
    @Test func thumbnailsAreSlicesThatCachesKeep() async throws {
        try await withHarness { service in
            let id = try await service.finishedJob("purify", script: Script.shown)
            let path = "/v1/jobs/\(id)/samples/1/thumbnail"
            let answer = try await service.send(.get, path)
            #expect(answer.status == 200 && answer.text == "thumbnail 1")
            #expect(answer.headers[.contentType] == "image/jpeg")
            #expect(answer.headers[.cacheControl] == "private, max-age=86400, immutable")
            let tag = try #require(answer.headers[.eTag])
            let again = try await service.send(.get, path, headers: [.ifNoneMatch: tag])
            #expect(again.status == 304 && again.body.isEmpty)
            #expect(try await service.send(.head, path).status == 200)
            // The data set has two samples.
            #expect(try await service.send(.get, "/v1/jobs/\(id)/samples/2/thumbnail").status == 404)
        }
    }

    @Test func olderDataSetsGetTheirThumbnailsOnce() async throws {
        try await withHarness { service in
            let model = try await service.upload(Script.shown, to: "models")
            let dataset = try await service.upload(
                "[import]\ndataset-summary 8 2 bare\nfinished\n", to: "datasets")
            let id: String = try #require(
                try await service.submit("purify", model: model, dataset: dataset).value("id"))
            _ = try await service.queue.waitForJob(id, timeout: .seconds(30))
            let folder = "\(service.directory)/datasets/\(dataset)"
            #expect(!FileManager.default.fileExists(atPath: folder + "/thumbnails.u64"))
            try await withThrowingTaskGroup(of: Harness.Answer.self) { group in
                for index in 0..<8 {
                    group.addTask {
                        try await service.send(.get, "/v1/jobs/\(id)/samples/\(index % 2)/thumbnail")
                    }
                }
                for try await answer in group { #expect(answer.status == 200, "\(answer.text)") }
            }
            let table = folder + "/thumbnails.u64"
            let made = try FileManager.default.attributesOfItem(atPath: table)[.modificationDate] as? Date
            _ = try await service.send(.get, "/v1/jobs/\(id)/samples/0/thumbnail")
            #expect(
                try FileManager.default.attributesOfItem(atPath: table)[.modificationDate] as? Date == made)
            // A damaged table is not believed, and made again.
            try Data(repeating: 0xff, count: 24).write(to: URL(filePath: table))
            #expect(try await service.send(.get, "/v1/jobs/\(id)/samples/0/thumbnail").text == "thumbnail 0")
        }
    }

    @Test func aWorkerPicturesASampleOnceForAllWhoAsk() async throws {
        try await withHarness { service in
            let id = try await service.finishedJob("purify", script: Script.shown)
            func image(_ index: Int, _ view: String) async throws -> Harness.Answer {
                try await service.send(.get, "/v1/jobs/\(id)/samples/\(index)/image?view=\(view)")
            }
            let answers = try await withThrowingTaskGroup(of: (Int, Harness.Answer).self) { group in
                for index in 0..<6 {
                    for _ in 0..<3 { group.addTask { (index, try await image(index, "perturbation")) } }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(answers.allSatisfy { $0.1.text == "\($0.0) perturbation" })
            // The scripted worker's amplification is the number of samples that it was given: the first came
            // alone, the others while it ran.
            let together = Set(answers.compactMap { $0.1.headers[.xAmplification] })
            #expect(
                together.isSubset(of: ["1", "2", "3", "4", "5", "6"]) && together != ["1"], "\(together)")
            let cached = try await image(3, "adversarial")
            #expect(cached.text == "3 adversarial" && cached.headers[.xAmplification] == nil)
            #expect(cached.headers[.cacheControl] == "private, max-age=86400, immutable")
            #expect(try await image(3, "original").text == "3 original")
            #expect(try await image(250, "original").status == 404)
            #expect(try await image(3, "x-ray").status == 400)
            #expect(
                try await service.send(.get, "/v1/system").value("disk", "cache_bytes", as: Int.self) ?? 0 > 0
            )
            // What is made for a job goes with it.
            let folder = "\(service.directory)/cache/pictures/\(id)"
            #expect(FileManager.default.fileExists(atPath: folder))
            #expect(try await service.send(.delete, "/v1/jobs/\(id)").status == 204)
            #expect(!FileManager.default.fileExists(atPath: folder))
            #expect(
                try FileManager.default.contentsOfDirectory(atPath: "\(service.directory)/cache/scratch")
                    == [])
        }
    }

    @Test func aWorkerThatFailsIsToldAndTriedAgain() async throws {
        try await withHarness { service in
            let script = Script.shown.replacing("pictures\n", with: "fail unprocessable scripted-failure\n")
            let id = try await service.finishedJob("purify", script: script)
            for _ in 0..<2 {
                let answer = try await service.send(.get, "/v1/jobs/\(id)/samples/1/image")
                #expect(answer.status == 422)
                #expect(try answer.value("code") == "scripted-failure")
            }
        }
    }

    @Test func deletedInputsAreAConflictThatSaysWhy() async throws {
        try await withHarness { service in
            let id = try await service.finishedJob("purify", script: Script.shown)
            let request = try await service.store.job(id).request
            _ = try await service.send(.get, "/v1/jobs/\(id)/samples/1/image")
            #expect(try await service.send(.delete, "/v1/models/\(request.model)").status == 204)
            let image = try await service.send(.get, "/v1/jobs/\(id)/samples/1/image")
            #expect(image.status == 409)
            #expect(try image.value("code") == "inputs-deleted")
            #expect(try await service.send(.get, "/v1/jobs/\(id)/samples/1/thumbnail").status == 200)
            #expect(try await service.send(.delete, "/v1/datasets/\(request.dataset)").status == 204)
            #expect(try await service.send(.get, "/v1/jobs/\(id)/samples/1/thumbnail").status == 409)
        }
    }

    @Test func triggersAreListedWithTheirPictures() async throws {
        try await withHarness { service in
            let id = try await service.finishedJob("purify", script: Script.shown)
            let answer = try await service.send(.get, "/v1/jobs/\(id)/triggers")
            let items: [[String: Any]] = try #require(try answer.value("items"))
            try #require(items.count == 1)
            #expect(items[0]["form"] as? String == "moments" && items[0]["effect"] as? Double == 0.9)
            let images = try #require(items[0]["images"] as? [String: Any])
            for view in ["direction", "clean", "stamped"] {
                let image = try await service.send(.get, try #require(images[view] as? String))
                #expect(image.status == 200 && image.text == view)
                #expect((image.headers[.xAmplification] == "2.5") == (view == "direction"))
            }
            #expect(try await service.send(.get, "/v1/jobs/\(id)/triggers/1/image").status == 404)
            #expect(try await service.send(.get, "/v1/jobs/\(id)/triggers/x/image").status == 404)
            #expect(try await service.send(.get, "/v1/jobs/\(id)/triggers/0/image?view=x").status == 400)
        }
    }
}
