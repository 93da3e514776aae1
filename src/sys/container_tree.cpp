#include "runclad/sys/container_tree.hpp"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <utility>

#include "runclad/base/unique_fd.hpp"
#include "runclad/sys/file.hpp"

namespace runclad::sys {
namespace {

constexpr int kMaxLinks = 40;                     // as the kernel; runc follows 255
constexpr std::size_t kMaxComponents = 1024;      // including those of the links
constexpr std::size_t kMaxTreeLookups = 500'000;  // half a second

// Puts the names of a path before those that are `ahead`, of which the last one is the next.
void PushComponents(std::string_view path, std::vector<std::string>& ahead) {
  const auto before = static_cast<std::ptrdiff_t>(ahead.size());
  for (std::size_t begin = 0; begin < path.size();) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    if (end > begin) ahead.emplace_back(path.substr(begin, end - begin));
    begin = end + 1;
  }
  std::reverse(ahead.begin() + before, ahead.end());
}

// The target of the link `name` in `directory`; empty when it is not a link.
std::string ReadLink(int directory, const std::string& name) {
  std::array<char, PATH_MAX> target;
  const ssize_t length = ::readlinkat(directory, name.c_str(), target.data(), target.size());
  return length <= 0 ? std::string() : std::string(target.data(), static_cast<std::size_t>(length));
}

UniqueFd OpenChild(int directory, const std::string& name) {
  return UniqueFd(::openat(directory, name.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
}

bool IsProc(int directory) {
  struct statfs system {};
  return ::fstatfs(directory, &system) == 0 && system.f_type == PROC_SUPER_MAGIC;
}

}  // namespace

// One walk from the root to a place.
class TreeWalk {
 public:
  TreeWalk(const ContainerTree::Node& root, std::size_t& looked_up) : looked_up_(looked_up) {
    steps_.push_back({{}, &root, &*root.layer, 0, root.layer->content});
  }

  ResolvedPath To(std::string_view path) && {
    if (path.size() >= PATH_MAX) {
      place_.path = path;
      GiveUp("is longer than the " + std::to_string(PATH_MAX - 1) + " bytes that a path may have");
      return std::move(place_);
    }
    PushComponents(path, ahead_);
    for (std::size_t taken = 0; !ahead_.empty(); ++taken) {
      if (taken == kMaxComponents) {
        GiveUp("leads through more than " + std::to_string(kMaxComponents) + " names");
        break;
      }
      const std::string name = std::move(ahead_.back());
      ahead_.pop_back();
      if (name == ".") continue;
      if (name == "..") {
        Leave();
      } else {
        Enter(name);
      }
    }
    place_.path = PathTo(steps_.size() - 1);
    if (steps_.back().content == Content::kProc) place_.touches_proc = true;
    return std::move(place_);
  }

 private:
  struct Step {
    std::string name;
    const ContainerTree::Node* node;  // none: nothing is mounted here or below
    const ContainerTree::Layer* layer;
    std::size_t layer_root;  // the step at which the layer is mounted
    Content content;         // the layer's, or kProc where its directory turned out to be that
  };

  void Doubt(std::string because) {
    if (place_.uncertain_because.empty()) place_.uncertain_because = std::move(because);
  }

  void GiveUp(std::string because) {
    place_.is_complete = false;
    place_.uncertain_because = std::move(because);
  }

  [[nodiscard]] std::string PathTo(std::size_t step) const {
    std::string path;
    for (std::size_t i = 1; i <= step; ++i) path.append("/").append(steps_[i].name);
    return path.empty() ? "/" : path;
  }
  [[nodiscard]] std::string MountPoint() const { return PathTo(steps_.back().layer_root); }

  void Truncate(std::size_t steps) {
    steps_.resize(steps);
    if (here_step_ >= steps) here_step_ = kNowhere;
  }

  void Leave() {
    if (steps_.size() == 1) return;
    const Content content = steps_.back().content;
    const bool is_inside = steps_[steps_.size() - 2].content == content;
    // What is above a name there depends on where the name leads: /proc/self is a link.
    if (is_inside && (content == Content::kProc || content == Content::kKernel)) {
      Doubt("leaves a kernel filesystem through \"..\"");
    }
    Truncate(steps_.size() - 1);
  }

  void Enter(const std::string& name) {
    const Step& here = steps_.back();
    const ContainerTree::Node* child = nullptr;
    if (here.node != nullptr) {
      const auto found = here.node->children.find(name);
      if (found != here.node->children.end()) child = found->second.get();
    }
    // A mount covers what had the name before.
    if (child != nullptr && child->layer) {
      steps_.push_back({name, child, &*child->layer, steps_.size(), child->layer->content});
      return;
    }
    if (here.content == Content::kUnknown) {
      Doubt("is inside the filesystem of " + MountPoint() + ", which is not mounted yet");
    }
    if (Follow(name)) return;
    if (steps_.back().content == Content::kProc) place_.touches_proc = true;
    steps_.push_back(
        {name, child, steps_.back().layer, steps_.back().layer_root, steps_.back().content});
  }

  // Whether `name` is a link, and the walk goes on where it leads.
  bool Follow(const std::string& name) {
    if (looked_up_ >= kMaxTreeLookups) {
      GiveUp("and other paths need more than 500000 lookups in the container's files");
      return false;
    }
    for (const UniqueFd& directory : Here()) {
      ++looked_up_;
      const std::string target = ReadLink(directory.get(), name);
      if (target.empty()) continue;
      if (steps_.back().content == Content::kForeign) {
        Doubt("leads through the link \"" + name + "\" inside what is mounted at " + MountPoint() +
              ", which can be changed at any time");
      }
      if (++links_ > kMaxLinks) {
        GiveUp("leads through more than " + std::to_string(kMaxLinks) + " links");
        return false;
      }
      if (target.starts_with('/')) Truncate(1);
      PushComponents(target, ahead_);
      return true;
    }
    return false;
  }

  // The directories on the host that the last step stands for, opened; none where nothing is there
  // or names are no text.
  const std::vector<UniqueFd>& Here() {
    Step& last = steps_.back();
    const std::size_t index = steps_.size() - 1;
    if (last.content != Content::kImage && last.content != Content::kForeign) {
      here_.clear();
      here_step_ = index;
    }
    if (here_step_ == index) return here_;
    const bool is_next = here_step_ + 1 == index && last.layer_root != index;
    if (is_next) {
      for (UniqueFd& directory : here_) directory = OpenChild(directory.get(), last.name);
    } else {
      OpenFromLayerRoot();
    }
    std::erase_if(here_, [](const UniqueFd& directory) { return !directory; });
    if (std::ranges::any_of(here_, [](const UniqueFd& open) { return IsProc(open.get()); })) {
      last.content = Content::kProc;
      here_.clear();
    }
    here_step_ = index;
    return here_;
  }

  void OpenFromLayerRoot() {
    const Step& last = steps_.back();
    std::string path = ".";
    for (std::size_t i = last.layer_root + 1; i < steps_.size(); ++i) {
      path.append("/").append(steps_[i].name);
    }
    here_.clear();
    for (const std::string& directory : last.layer->directories) {
      // Links on the way to the directory itself are the host's, and followed as the runtime does.
      const UniqueFd root(::open(directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
      if (!root) continue;
      auto opened = OpenWithoutLinks(root.get(), path, O_PATH | O_DIRECTORY);
      if (opened) here_.push_back(*std::move(opened));
    }
  }

  static constexpr std::size_t kNowhere = static_cast<std::size_t>(-2);

  std::vector<std::string> ahead_;  // the last one is the next
  std::vector<Step> steps_;
  std::vector<UniqueFd> here_;
  std::size_t here_step_ = kNowhere;  // the step that here_ stands for
  std::size_t& looked_up_;
  int links_ = 0;
  ResolvedPath place_;
};

ContainerTree::ContainerTree(const std::string& rootfs) : root_(std::make_unique<Node>()) {
  root_->layer = Layer{Content::kImage, {rootfs}};
}

Result<ContainerTree> ContainerTree::Open(const std::string& rootfs) {
  const UniqueFd directory(::open(rootfs.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!directory) return SystemError("the rootfs " + rootfs + " cannot be opened", errno);
  return ContainerTree(rootfs);
}

ResolvedPath ContainerTree::Resolve(std::string_view path) const {
  return TreeWalk(*root_, looked_up_).To(path);
}

void ContainerTree::Mount(std::string_view path, Content content,
                          std::vector<std::string> directories) {
  Node* node = root_.get();
  for (std::size_t begin = 0; begin < path.size();) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    if (end > begin) {
      std::unique_ptr<Node>& child = node->children[std::string(path.substr(begin, end - begin))];
      if (!child) child = std::make_unique<Node>();
      node = child.get();
    }
    begin = end + 1;
  }
  node->layer = Layer{content, std::move(directories)};
  node->children.clear();  // what was mounted below is out of reach
}

}  // namespace runclad::sys
