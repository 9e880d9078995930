import Foundation
import HTTPServer
import JobStore
import Support

extension RESTService {
    func addModelRoutes(to router: inout Router) {
        router.on(.get, "/v1/models") { request in
            try request.head.allowQuery("limit", "cursor")
            let page = try await store.models(
                limit: request.head.pageLimit(), cursor: request.head.queryValue("cursor"))
            return try JSON.response(page.resource { InputResource(model: $0) })
        }
        router.on(.post, "/v1/models", isUpload: true) { head in
            try head.allowQuery("name", "architecture", "image", "skeleton", "weights")
            _ = try modelImport(head)
            return try await planUpload(
                head, .model, limit: limits.modelBytes, setting: "limits.model_bytes")
        } respond: { request in
            let name = try uploadName(request.head, default: "model")
            let options = try modelImport(request.head)
            try await requireSkeleton(options)
            let stored = try await store(request, .model, options)
            var record = try await queue.addModel(
                name: name, blob: stored.blob, summary: stored.model, owner: request.head.owner,
                options: options)
            let wait = request.head.preferredWait
            if let wait { record = try await queue.waitForModel(record.id, timeout: .seconds(wait)) }
            return try created(InputResource(model: record), at: "/v1/models/\(record.id)", waited: wait)
        }
        router.on(.get, "/v1/models/{id}") { request in
            try request.head.allowQuery()
            let record =
                if let wait = request.head.preferredWait {
                    try await queue.waitForModel(request.id, timeout: .seconds(wait))
                } else { try await store.model(request.id) }
            var resource = InputResource(model: record)
            resource.jobs = try await store.jobs(using: .model, record.id)
            resource.purified = try await store.purifiedModels(of: record.id)
            return try JSON.response(resource, headers: request.preferenceApplied)
        }
        router.on(.get, "/v1/models/{id}/content") { request in
            try request.head.allowQuery()
            let record = try await store.model(request.id)
            return try download(record.blob, as: record.name)
        }
        router.on(.delete, "/v1/models/{id}") { request in
            try request.head.allowQuery()
            try await queue.deleteModel(request.id)
            return HTTPResponse(status: .noContent)
        }
    }

    func addDatasetRoutes(to router: inout Router) {
        router.on(.get, "/v1/datasets") { request in
            try request.head.allowQuery("limit", "cursor")
            let page = try await store.datasets(
                limit: request.head.pageLimit(), cursor: request.head.queryValue("cursor"))
            return try JSON.response(page.resource { InputResource(dataset: $0) })
        }
        router.on(.post, "/v1/datasets", isUpload: true) { head in
            try head.allowQuery(["name"] + ImportParameters.names[.dataset, default: []])
            _ = try importOptions(head)
            try requirePackedSpace(ImportParameters(head), upload: Int(clamping: head.contentLength ?? 0))
            return try await planUpload(
                head, .dataset, limit: limits.datasetBytes, setting: "limits.dataset_bytes")
        } respond: { request in
            let name = try uploadName(request.head, default: "dataset")
            let stored = try await store(request, .dataset)
            var record = try await queue.addDataset(
                name: name, blob: stored.blob, owner: request.head.owner,
                options: importOptions(request.head))
            let wait = request.head.preferredWait
            if let wait { record = try await queue.waitForDataset(record.id, timeout: .seconds(wait)) }
            return try created(InputResource(dataset: record), at: "/v1/datasets/\(record.id)", waited: wait)
        }
        router.on(.get, "/v1/datasets/{id}") { request in
            try request.head.allowQuery()
            let record =
                if let wait = request.head.preferredWait {
                    try await queue.waitForDataset(request.id, timeout: .seconds(wait))
                } else { try await store.dataset(request.id) }
            var resource = InputResource(dataset: record)
            resource.jobs = try await store.jobs(using: .dataset, record.id)
            return try JSON.response(resource, headers: request.preferenceApplied)
        }
        router.on(.delete, "/v1/datasets/{id}") { request in
            try request.head.allowQuery()
            try await queue.deleteDataset(request.id)
            return HTTPResponse(status: .noContent)
        }
    }
}
