import Findings
import JobStore
import WorkerProtocol

extension RESTService {
    /// What a worker is to look at of an upload, before it is kept.
    /// - Parameter options: of a model.
    static func check(_ kind: InputKind, _ options: ModelImport?, at path: String) -> WorkerTask.CheckUpload {
        let content: WorkerTask.CheckUpload.Content =
            switch kind {
            case .dataset: .dataset
            case .model where options?.skeleton != nil: .weightsAlone
            case .model:
                .model(
                    options?.architecture.map {
                        .architecture($0, image: options?.image, weights: options?.weights)
                    } ?? options?.output.map { .output($0) })
            }
        return WorkerTask.CheckUpload(file: path, content: content)
    }

    /// The look at an upload's first bytes (at most `ContainerFormat.headLength`), so that a wrong file is refused before
    /// gigabytes of it have come. Throws the `Problem` to answer with.
    public typealias HeadCheck = @Sendable (_ head: [UInt8], _ kind: InputKind) throws -> Void

    /// - Throws: `Problem` (415) for a data set that is no archive.
    public static let checkHead: HeadCheck = { head, kind in
        if kind == .dataset { try ContainerFormat.requireArchive(head: head) }
    }
}
