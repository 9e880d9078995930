/// How an upload's images become the packed ones. Names are those of the REST API; nil is an option that was not
/// given.
public struct ImportOptions: Codable, Hashable, Sendable {
    /// What is done with an alpha channel.
    public enum Alpha: String, Codable, Hashable, Sendable, CaseIterable {
        /// Images that are transparent anywhere are refused.
        case refuse
        /// The channel is left out, as `Image.convert("RGB")` does it.
        case drop
    }

    /// Which part of a set with a training and a test part is read.
    public enum Split: String, Codable, Hashable, Sendable, CaseIterable {
        case train, test, validation

        /// As people write it, `val` among it.
        public init?(given text: String) {
            switch text.lowercased() {
            case "val", "valid", "dev": self = .validation
            default: self.init(rawValue: text)
            }
        }
    }

    /// How a set is laid out, where several readings fit.
    public enum Layout: String, Codable, Hashable, Sendable, CaseIterable {
        /// One folder per class, and below it whatever folders there are, as torchvision's `ImageFolder` reads it.
        case folders
        /// The folder that holds an image is its class, whatever folders lie above it.
        case leafFolders = "leaf-folders"
        /// Images and a table with a file and a label in each row.
        case manifest
        case webdataset
        case parquet
        /// CIFAR-10 and CIFAR-100 as their authors distribute them.
        case cifar
        /// npz, safetensors, IDX.
        case arrays
    }

    /// What the orientation does that a camera wrote into an image.
    public enum Orientation: String, Codable, Hashable, Sendable, CaseIterable {
        /// Pixels are taken as they are stored, as Pillow and torchvision load them.
        case stored
        /// Images are turned upright, as `PIL.ImageOps.exif_transpose` and Hugging Face's datasets do.
        case upright
    }

    /// Height and width.
    public struct Size: Codable, Hashable, Sendable {
        public var height: Int
        public var width: Int

        public init(height: Int, width: Int) {
            self.height = height
            self.width = width
        }
    }

    /// torchvision's `Resize`: a number is the shorter side's, the ratio is kept.
    public enum Resize: Codable, Hashable, Sendable {
        case shorterSide(Int)
        case exactly(Size)
    }

    /// Bilinear with antialiasing, as torchvision resizes PIL images.
    public var resize: Resize?
    /// torchvision's `CenterCrop`, after the resizing.
    public var crop: Size?
    /// Without it: `refuse`.
    public var alpha: Alpha?
    /// Without it: `train`, where the set has parts.
    public var split: Split?
    /// Without it: what the names in the set tell.
    public var layout: Layout?
    /// Without it: `stored`.
    public var orientation: Orientation?
    /// Leaves damaged images out; else a set that has any is refused.
    public var skipDamaged: Bool?
    /// Class folders without images are classes too; else a set that has any is refused.
    public var emptyClasses: Bool?

    public init(
        resize: Resize? = nil, crop: Size? = nil, alpha: Alpha? = nil, split: Split? = nil,
        layout: Layout? = nil,
        orientation: Orientation? = nil, skipDamaged: Bool? = nil, emptyClasses: Bool? = nil
    ) {
        self.resize = resize
        self.crop = crop
        self.alpha = alpha
        self.split = split
        self.layout = layout
        self.orientation = orientation
        self.skipDamaged = skipDamaged
        self.emptyClasses = emptyClasses
    }
}
