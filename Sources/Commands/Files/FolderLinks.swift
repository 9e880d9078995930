import Foundation
import Support

/// Symbolic links in a folder that is packed: those that lead to files and folders of the same folder become what they lead
/// to. Others would bring files along that nobody chose.
enum FolderLinks {
    /// - Returns: whether there are any.
    /// - Throws: `Problem` `entry-not-a-file` for one that leads elsewhere, or to a folder that it lies in.
    static func check(_ folder: String) throws -> Bool {
        let top = URL(fileURLWithPath: folder).resolvingSymlinksInPath().path
        var found = false
        guard let names = FileManager.default.enumerator(atPath: top) else { return false }
        while let name = names.nextObject() as? String {
            guard names.fileAttributes?[.type] as? FileAttributeType == .typeSymbolicLink else { continue }
            let link = top + "/" + name
            let target = URL(fileURLWithPath: link).resolvingSymlinksInPath().path
            guard target.hasPrefix(top + "/"), !(link + "/").hasPrefix(target + "/"),
                FileManager.default.fileExists(atPath: target)
            else {
                throw Problem(
                    .unprocessable, code: "entry-not-a-file",
                    title: "An entry is neither a file nor a folder",
                    detail:
                        "It is a symbolic link that does not lead to a file or folder of the set itself: \(target).",
                    location: name, fix: "Put the files themselves there: cp -rL SET COPY")
            }
            found = true
        }
        return found
    }
}
