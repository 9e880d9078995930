/// How an upload's images become the packed ones. Names are those of the REST API.
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
        case train, test
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
    public var alpha: Alpha
    public var split: Split

    public init(resize: Resize? = nil, crop: Size? = nil, alpha: Alpha = .refuse, split: Split = .train) {
        self.resize = resize
        self.crop = crop
        self.alpha = alpha
        self.split = split
    }
}
