import Support

/// Which folder is a class: the one that holds the image. Every class folder lies in the same place, so that
/// `train/cat/1.png` and `cat/1.png` both give the class `cat`.
struct ImageFolderLayout {
    /// The folders above the class folders, once an image has been met, and that image.
    private var root: (path: [String], image: String)?
    private var classes: Set<String> = []
    /// Every folder met, those without images included. Empty classes are found among them.
    private var folders: Set<[String]> = []
    private let maximumClasses: Int

    init(maximumClasses: Int) { self.maximumClasses = maximumClasses }

    mutating func addFolder(_ components: [String]) throws {
        guard !components.isEmpty, folders.insert(components).inserted else { return }
        // Folders above and below the class folders may be there too, in reason.
        guard folders.count <= 4 * maximumClasses + 1_000 else {
            throw Problem(
                .tooLarge, code: "too-many-folders", title: "The data set has too many folders",
                detail: "There are more than \(folders.count - 1) folders.",
                location: components.joined(separator: "/"), fix: "Use one folder per class.")
        }
    }

    /// - Returns: the class of the image at `path`.
    mutating func addImage(_ path: EntryPath) throws -> String {
        let folder = path.components.dropLast()
        guard let name = folder.last else {
            throw Problem(
                .unprocessable, code: "image-outside-class", title: "An image lies outside a class folder",
                detail: "The image lies at the top of the archive.", location: path.name,
                fix: "Put every image into the folder of its class, such as `cat/\(path.name)`.")
        }
        let above = Array(folder.dropLast())
        if let root, root.path != above {
            throw Problem(
                .unprocessable, code: "image-outside-class", title: "An image lies outside a class folder",
                detail: "The class folders lie in \(Self.shown(root.path)), by `\(root.image)`; this image's "
                    + "folder `\(name)` lies in \(Self.shown(above)).", location: path.name,
                fix:
                    "Keep one level of class folders with the images directly in them; upload the parts of a "
                    + "split (train, test) one by one.")
        }
        if root == nil { root = (above, path.name) }
        if classes.insert(name).inserted {
            guard classes.count <= maximumClasses else {
                throw Problem(
                    .tooLarge, code: "too-many-classes", title: "The data set has too many classes",
                    detail: "There are more than \(maximumClasses) class folders.", location: path.name)
            }
            try addFolder(Array(folder))
        }
        return name
    }

    /// - Throws: `empty-class`, `too-few-classes`.
    func check() throws {
        guard let root else { return }
        let empty = folders.filter { $0.count == root.path.count + 1 && $0.starts(with: root.path) }
            .filter { !classes.contains($0[root.path.count]) }
            .filter { !StoragePlaces.besides.contains($0[root.path.count].lowercased()) }
            .map { $0.joined(separator: "/") }
        if let first = empty.min() {
            throw Problem(
                .unprocessable, code: "empty-class", title: "A class folder has no images",
                detail: empty.count == 1
                    ? "The folder holds no image." : "This folder and \(empty.count - 1) more hold no image.",
                location: first, fix: "Remove the folder, or add its images.")
        }
        guard classes.count >= 2 else {
            throw Problem(
                .unprocessable, code: "too-few-classes", title: "The data set has fewer than two classes",
                detail: "All the images lie in one folder.", location: classes.first,
                fix: "Use one folder per class, with the images directly in them.")
        }
    }

    private static func shown(_ path: [String]) -> String {
        path.isEmpty ? "the top of the archive" : "`\(path.joined(separator: "/"))`"
    }
}
