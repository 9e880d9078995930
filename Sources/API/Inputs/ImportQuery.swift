import Findings
import HTTPServer
import Problems

/// The query parameters of uploads that say how the file is to be read.
extension RESTService {
    /// Nil where none is given.
    func modelImport(_ head: HTTPRequestHead) throws -> ModelImport? {
        let options = ModelImport(
            architecture: head.queryValue("architecture"),
            image: try head.queryInt("image", ImportRules.sides),
            skeleton: head.queryValue("skeleton"))
        if options.architecture != nil, options.skeleton != nil {
            throw HTTPRequestHead.invalid(
                "skeleton", "architecture and skeleton exclude one another.", fix: "Give one of them.")
        }
        if options.image != nil, options.architecture == nil {
            throw HTTPRequestHead.invalid("image", "image goes with architecture.")
        }
        return options == ModelImport() ? nil : options
    }

    /// - Throws: `Problem` (404) where the model that is to give its graph is not there.
    func requireSkeleton(_ head: HTTPRequestHead) async throws {
        guard let id = head.queryValue("skeleton") else { return }
        do {
            _ = try await store.model(id)
        } catch var problem as Problem {
            problem.location = "skeleton"
            problem.fix = "Upload the model's .pt2 first, and give its id."
            throw problem
        }
    }

    /// Nil where none is given.
    func importOptions(_ head: HTTPRequestHead) throws -> ImportOptions? {
        var options = ImportOptions()
        if let text = head.queryValue("resize") {
            guard let resize = ImportRules.resize(text) else {
                throw HTTPRequestHead.invalid(
                    "resize", "resize is a number such as 256 (the shorter side), or 256x320.")
            }
            options.resize = resize
        }
        if let text = head.queryValue("crop") {
            guard let crop = ImportRules.size(text) else {
                throw HTTPRequestHead.invalid("crop", "crop is a number such as 224, or 224x200.")
            }
            options.crop = crop
        }
        options.alpha = try head.queryOne("alpha", of: ImportOptions.Alpha.self) ?? .refuse
        options.split = try head.queryOne("split", of: ImportOptions.Split.self) ?? .train
        return options == ImportOptions() ? nil : options
    }
}
