/// How the folders with images lie to one another.
struct FolderShape {
    /// Names of the class folders, of every part.
    private(set) var classes: Set<String> = []
    /// Above the class folders, or above the parts.
    private(set) var above: [String] = []
    /// Training, test and so on, by the folder's own name. One alone is a folder like any other, and is in `above`.
    private(set) var partFolders: [String: String] = [:]
    private(set) var onePart: String?
    /// Whether each image lies in a folder of the same level.
    private(set) var isUniform = false
    /// Whether the folders are called as places for images are, and not as classes.
    private(set) var isStorage = false

    /// - Parameter images: how many there are in each folder, by its path.
    init(_ images: [String: Int]) {
        let folders = images.keys.map { $0.split(separator: "/").map(String.init) }
        guard !folders.isEmpty, !folders.contains([]) else { return }
        let parents = folders.map { Array($0.dropLast()) }
        above = parents.dropFirst().reduce(parents[0]) { common, parent in
            zip(common, parent).prefix { $0 == $1 }.map(\.0)
        }
        let level = above.count
        classes = Set(folders.compactMap(\.last))
        if folders.allSatisfy({ $0.count == level + 2 && SetParts.isPart($0[level]) }) {
            for folder in folders {
                if let part = SetParts.part(ofComponent: folder[level]) { partFolders[folder[level]] = part }
            }
            isUniform = true
        } else {
            isUniform = folders.allSatisfy { $0.count == level + 1 }
            onePart = above.last.flatMap { SetParts.isPart($0) ? SetParts.part(ofComponent: $0) : nil }
        }
        isStorage = classes.allSatisfy(StoragePlaces.contains)
    }

    var parts: Set<String> {
        partFolders.isEmpty ? Set([onePart].compactMap { $0 }) : Set(partFolders.values)
    }

    /// Whether these are class folders.
    var fits: Bool { isUniform && classes.count > 1 && !isStorage }

    /// The first of their names, for messages.
    var shown: String {
        classes.sorted().prefix(5).joined(separator: ", ")
            + (classes.count > 5 ? ", … (\(classes.count))" : "")
    }
}
