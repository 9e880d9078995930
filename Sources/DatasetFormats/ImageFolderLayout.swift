import Support

/// Which folder is a class: the one at a level of the set, or the one that holds the image.
///
/// `train/cat/1.png` and `cat/1.png` both give the class `cat`, and so does `cat/old/1.png`.
struct ImageFolderLayout {
    /// How many folders lie above the class folders; told by the first image where nothing else tells it.
    private var level: Int?
    private let areLeaves: Bool
    /// The folders above the class folders, once an image has been met, and that image.
    private var root: (path: [String], image: String)?
    private var classes: Set<String> = []
    /// Every folder met, those without images included. Empty classes are found among them.
    private var folders: Set<[String]> = []
    private let maximumClasses: Int

    /// - Parameter areLeaves: the folder that holds an image is its class, whatever lies above.
    init(level: Int?, areLeaves: Bool = false, maximumClasses: Int) {
        self.level = level
        self.areLeaves = areLeaves
        self.maximumClasses = maximumClasses
    }

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
        let folder = Array(path.components.dropLast())
        guard let last = folder.last else {
            throw Problem(
                .unprocessable, code: "image-outside-class", title: "An image lies outside a class folder",
                detail: "The image lies at the top of the archive.", location: path.fullName,
                fix: "Put every image into the folder of its class, such as `cat/\(path.name)`.")
        }
        let level = level ?? folder.count - 1
        self.level = level
        // `test/cat` beside `dog`: a part of the set, and no class.
        guard folder.count > level, areLeaves || folder.count == level + 1 || !SetParts.isPart(folder[level])
        else {
            throw outside(path, folder)
        }
        let above = Array(folder.prefix(level))
        if let root, root.path != above, !areLeaves { throw outside(path, folder) }
        if root == nil { root = (above, path.fullName) }
        let name = areLeaves ? last : folder[level]
        if classes.insert(name).inserted {
            guard classes.count <= maximumClasses else {
                throw Problem(
                    .tooLarge, code: "too-many-classes", title: "The data set has too many classes",
                    detail: "There are more than \(maximumClasses) class folders.", location: path.fullName,
                    fix:
                        "Put the images of each class into one folder; the limit is limits.classes of the service's configuration."
                )
            }
            try addFolder(areLeaves ? folder : Array(folder.prefix(level + 1)))
        }
        return name
    }

    private func outside(_ path: EntryPath, _ folder: [String]) -> Problem {
        Problem(
            .unprocessable, code: "image-outside-class", title: "An image lies outside a class folder",
            detail: "The class folders lie in \(Self.shown(root?.path ?? []))"
                + (root.map { ", by `\($0.image)`" } ?? "")
                + "; this image lies in \(Self.shown(folder)).", location: path.fullName,
            fix:
                "Keep one level of class folders, with the images in them or below; upload the parts of a split (train, "
                + "test) one by one.")
    }

    /// Class folders without an image, by their names.
    var emptyClasses: [String] { emptyFolders.map { $0[$0.count - 1] } }

    private var emptyFolders: [[String]] {
        guard let root, !areLeaves else { return [] }
        return folders.filter { $0.count == root.path.count + 1 && $0.starts(with: root.path) }
            .filter { !classes.contains($0[root.path.count]) }
            .filter { !StoragePlaces.besides.contains($0[root.path.count].lowercased()) }
            .sorted { $0.joined(separator: "/") < $1.joined(separator: "/") }
    }

    /// - Throws: `empty-class`, `too-few-classes`.
    func check(allowingEmpty: Bool) throws {
        guard root != nil else { return }
        let empty = emptyFolders.map { $0.joined(separator: "/") }
        if let first = empty.first, !allowingEmpty {
            throw Problem(
                .unprocessable, code: "empty-class", title: "A class folder has no images",
                detail: empty.count == 1
                    ? "The folder holds no image." : "This folder and \(empty.count - 1) more hold no image.",
                location: first,
                fix:
                    "Remove the folder, or add its images; with \(ImportProblems.emptyClassesOption) it counts as a "
                    + "class, as where a model has outputs for classes without images.")
        }
        guard classes.count + empty.count >= 2 else {
            throw Problem(
                .unprocessable, code: "too-few-classes", title: "The data set has fewer than two classes",
                detail: "All the images lie in one folder.", location: classes.first,
                fix: "Use one folder per class, with the images in them or below.")
        }
    }

    private static func shown(_ path: [String]) -> String {
        path.isEmpty ? "the top of the archive" : "`\(path.joined(separator: "/"))`"
    }
}
