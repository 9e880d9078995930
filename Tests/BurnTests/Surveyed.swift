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
        screen: [Int]? = nil, method: JobOptions.DistanceMethod = .newton, threads: Int = 2,
        token: CancellationToken? = nil,
        progress: @escaping @Sendable (Double) -> Void = { _ in }
    ) throws {
        let token = try token ?? CancellationToken()
        func store(_ name: String) throws -> PerturbationStore {
            try PerturbationStore(
                path: folder.file(name), samples: images.count, values: images.shape.reduce(1, *))
        }
        self.token = token
        self.store = try store("gradients-\(threads)-\(method)")
        let survey = GradientSurvey(
            model: model, images: images, store: self.store, threads: threads, token: token)
        boundary = try BoundaryAnalysis(
            survey.run(screen ?? Array(0..<images.count), progress: progress), survey: survey,
            store: store("descents-\(threads)-\(method)"), method: method)
    }

    func detect(
        _ model: GraphModel, _ images: LabelledImages, in folder: ScratchFolder,
        options: JobOptions = JobOptions(), analysedOfSuspects: Int? = nil,
        analysedOfPoorlyParted: Int? = nil,
        foreseen: (PreliminaryVerdict) -> Void = { _ in }
    ) throws -> Detection.Outcome {
        var detection = Detection(
            model: model, images: images, boundary: boundary, store: store, directory: folder.path,
            options: options, threads: 2, token: token)
        if let analysedOfSuspects { detection.analysedOfSuspects = analysedOfSuspects }
        if let analysedOfPoorlyParted { detection.analysedOfPoorlyParted = analysedOfPoorlyParted }
        return try detection.run(foreseen: foreseen) { _ in }
    }
}
