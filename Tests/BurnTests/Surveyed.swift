import Execution
import Findings
import Tensors
import TinyModels

@testable import Burn

/// The first phase, as a job runs it.
struct Surveyed {
    let store: PerturbationStore
    let boundary: BoundaryAnalysis
    let token: CancellationToken
    var table: AnalysisTable { boundary.table }

    init(
        _ model: GraphModel, _ images: LabelledImages, in folder: ScratchFolder,
        method: JobOptions.DistanceMethod = .newton, threads: Int = 2, token: CancellationToken? = nil,
        progress: @escaping @Sendable (Double) -> Void = { _ in }
    ) throws {
        let token = try token ?? CancellationToken()
        func store(_ name: String) throws -> PerturbationStore {
            try PerturbationStore(
                path: folder.file(name), samples: images.count, values: images.shape.reduce(1, *))
        }
        self.token = token
        self.store = try store("gradients-\(threads)-\(method)")
        let table = try GradientSurvey(
            model: model, images: images, store: self.store, threads: threads, token: token
        ).run(progress: progress)
        boundary = try BoundaryAnalysis(
            model: model, images: images, table: table, store: store("descents-\(threads)-\(method)"),
            method: method, threads: threads, token: token)
    }

    func detect(
        _ model: GraphModel, _ images: LabelledImages, in folder: ScratchFolder,
        options: JobOptions = JobOptions()
    ) throws -> Detection.Outcome {
        try Detection(
            model: model, images: images, boundary: boundary, store: store, directory: folder.path,
            options: options, threads: 2, token: token
        ).run { _ in }
    }
}
