/// Input scalings that many models share. All are for pixels from 0 to 1.
public enum ScalingPreset: String, Codable, Hashable, Sendable, CaseIterable {
    case imagenet, cifar10, cifar100, half, mnist

    public var scaling: InputScaling {
        switch self {
        case .imagenet: InputScaling(mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225])
        case .cifar10: InputScaling(mean: [0.4914, 0.4822, 0.4465], std: [0.2470, 0.2435, 0.2616])
        case .cifar100: InputScaling(mean: [0.5071, 0.4865, 0.4409], std: [0.2673, 0.2564, 0.2762])
        case .half: InputScaling(mean: [0.5], std: [0.5])
        case .mnist: InputScaling(mean: [0.1307], std: [0.3081])
        }
    }

    /// One number serves any number of channels, but MNIST's, which are of grey digits.
    public func fits(channels: Int) -> Bool {
        self == .mnist ? channels == 1 : [1, channels].contains(scaling.mean.count)
    }
}
