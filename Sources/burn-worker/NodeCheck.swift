import Foundation
import Support
import WorkerProtocol

/// Shows that this machine sees the service's files.
enum NodeCheck {
    private static let mostBytes = 1_024

    /// - Throws: `Problem` `node-blind`.
    static func run(_ task: WorkerTask.CheckNode, to directory: String) throws {
        guard let content = FileManager.default.contents(atPath: task.token), content.count <= mostBytes
        else {
            throw blind("\(task.token) can't be read")
        }
        do { try content.write(to: URL(filePath: directory + "/token")) } catch {
            throw blind("nothing can be written into \(directory): \(error.localizedDescription)")
        }
    }

    private static func blind(_ detail: String) -> Problem {
        Problem(
            .internal, code: "node-blind", title: "The node does not see the service's files", detail: detail,
            location: "data", fix: "Mount the data folder's file system on every node, at the same path.")
    }
}
