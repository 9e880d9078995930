/// How the folders with images lie to one another.
struct FolderShape {
    /// What stands for a class, where folders with images lie at several levels.
    enum Nesting: Hashable {
        /// The upper folders: those below are called as places for images are, or images lie beside them.
        case upper
        /// The folders that hold the images: the upper ones are called as places are.
        case leaves
        /// Both may.
        case either
    }

    /// Names of the class folders, of every part: those below `above` and the part.
    private(set) var classes: Set<String> = []
    /// Names of the folders that hold the images.
    private(set) var leaves: Set<String> = []
    /// Nil where the class folders hold the images.
    private(set) var nesting: Nesting?
    /// Above the class folders, or above the parts.
    private(set) var above: [String] = []
    /// Training, test and so on, by the folder's own name. One alone is a folder like any other, and is in `above`.
    private(set) var partFolders: [String: String] = [:]
    private(set) var onePart: String?
    /// Whether each image lies in a folder.
    private(set) var isUniform = false
    /// Whether the folders are called as places for images are, and not as classes.
    private(set) var isStorage = false

    /// - Parameter images: how many there are in each folder, by its path.
    init(_ images: [String: Int]) {
        let folders = images.keys.map { $0.split(separator: "/").map(String.init) }
        guard !folders.isEmpty, !folders.contains([]) else { return }
        isUniform = true
        let parents = folders.map { Array($0.dropLast()) }
        above = parents.dropFirst().reduce(parents[0]) { common, parent in
            zip(common, parent).prefix { $0 == $1 }.map(\.0)
        }
        if folders.allSatisfy({ $0.count >= above.count + 2 && SetParts.isPart($0[above.count]) }) {
            for folder in folders {
                let name = folder[above.count]
                if let part = SetParts.part(ofComponent: name) { partFolders[name] = part }
            }
        } else {
            onePart = above.last.flatMap { SetParts.isPart($0) ? SetParts.part(ofComponent: $0) : nil }
        }
        classes = Set(folders.map { $0[level] })
        leaves = Set(folders.compactMap(\.last))
        nesting = Self.nesting(folders.map { Array($0.dropFirst(level)) }, classes)
        // Folders at several levels, of which one is called as a place for images is: what lies in it may be the classes.
        if Set(folders.map(\.count)).count > 1, classes.contains(where: StoragePlaces.contains) {
            isUniform = false
        }
        isStorage = classes.allSatisfy(StoragePlaces.contains)
    }

    /// How many folders lie above a class folder.
    var level: Int { above.count + (partFolders.isEmpty ? 0 : 1) }

    /// - Parameter folders: from the upper ones on.
    private static func nesting(_ folders: [[String]], _ classes: Set<String>) -> Nesting? {
        guard folders.contains(where: { $0.count > 1 }) else { return nil }
        // Images beside folders, or folders at several levels, as whoever sorts what is below a class has them.
        if Set(folders.map(\.count)).count > 1 { return .upper }
        if classes.allSatisfy(StoragePlaces.contains) { return .leaves }
        if folders.allSatisfy({ StoragePlaces.contains($0[$0.count - 1]) }) { return .upper }
        return .either
    }

    var parts: Set<String> {
        partFolders.isEmpty ? Set([onePart].compactMap { $0 }) : Set(partFolders.values)
    }

    /// Whether upper folders may be the classes.
    var fits: Bool { isUniform && classes.count > 1 && !isStorage && nesting != .leaves }

    /// Whether the folders that hold the images may be, and others lie above them.
    var leavesFit: Bool { leaves.count > 1 && (nesting == .leaves || nesting == .either) }

    /// The first of their names, for messages.
    var shown: String { Self.shown(classes) }
    var leavesShown: String { Self.shown(leaves) }

    private static func shown(_ names: Set<String>) -> String {
        names.sorted().prefix(5).joined(separator: ", ") + (names.count > 5 ? ", … (\(names.count))" : "")
    }
}
