import Commands
import Foundation
import ServiceClient
import Support

extension PushModelCommand: ClientWork {
    func perform() async throws {
        try await answering(json: service.json) {
            let options = [
                ("architecture", architecture), ("image", image.map(String.init)), ("skeleton", skeleton),
                ("weights", weights), ("output", modelOutput),
            ].compactMap { name, value in value.map { URLQueryItem(name: name, value: $0) } }
            let push = Push(client: try await service.client(), kind: .model, options: options)
            try await push.show(try await push.run(file, name: name), json: service.json)
        }
    }
}

extension PushDatasetCommand: ClientWork {
    func perform() async throws {
        try await answering(json: service.json) {
            let push = Push(client: try await service.client(), kind: .dataset, options: reading.query)
            try await push.show(try await push.run(path, parts: parts, name: name), json: service.json)
        }
    }
}

extension ListModelsCommand: ClientWork {
    func perform() async throws {
        try await answering(json: service.json) { try await page.listInputs("/v1/models", service) }
    }
}

extension ListDatasetsCommand: ClientWork {
    func perform() async throws {
        try await answering(json: service.json) { try await page.listInputs("/v1/datasets", service) }
    }
}

extension PageOptions {
    func listInputs(_ path: String, _ service: ServiceOptions) async throws {
        let client = try await service.client()
        let data = try await client.get(path, query: query)
        if service.json { return try printDocument(data) }
        let page: PageReply<InputReply> = try client.decode(data)
        for item in page.items {
            print("\(item.id)  \(item.state.rawValue)  \(item.bytes)  \(item.name.inOneLine)")
        }
    }
}
