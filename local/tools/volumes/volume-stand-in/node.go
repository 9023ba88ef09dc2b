package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/container-storage-interface/spec/lib/go/csi"
	"golang.org/x/sys/unix"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"
	registration "k8s.io/kubelet/pkg/apis/pluginregistration/v1"
)

// node is the CSI plugin of one kubelet. Volumes are mounted already, below `mounts`; it only binds them to where the kubelet
// wants them.
type node struct {
	csi.UnimplementedIdentityServer
	csi.UnimplementedNodeServer
	id, mounts string
	disks      *client
}

// registrar tells the kubelet of a node plugin.
type registrar struct {
	registration.UnimplementedRegistrationServer
	endpoint string
	refused  chan error
}

// serveNode answers the kubelet until it is told to end, or until the kubelet refuses the plugin.
func serveNode(ctx context.Context, plugin *node, kubeletDir, socket string) error {
	server := grpc.NewServer(grpc.UnaryInterceptor(logFailures))
	csi.RegisterIdentityServer(server, plugin)
	csi.RegisterNodeServer(server, plugin)
	listener, err := listen(socket)
	if err != nil {
		return err
	}
	entry := &registrar{endpoint: socket, refused: make(chan error, 1)}
	registry := grpc.NewServer()
	registration.RegisterRegistrationServer(registry, entry)
	// The kubelet watches this folder, so the plugin itself must answer first.
	ended := make(chan error, 2)
	go func() { ended <- server.Serve(listener) }()
	entrance, err := listen(filepath.Join(kubeletDir, "plugins_registry", driverName+"-reg.sock"))
	if err != nil {
		return err
	}
	go func() { ended <- registry.Serve(entrance) }()
	log.Printf("stand-in for Longhorn's node plugin on %s: volumes from %s, on %s", plugin.id, plugin.mounts, socket)
	select {
	case <-ctx.Done():
		// The registration first: the kubelet forgets the plugin when its socket goes.
		registry.Stop()
		server.GracefulStop()
		return nil
	case err := <-entry.refused:
		return err
	case err := <-ended:
		return err
	}
}

func logFailures(ctx context.Context, request any, information *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
	answer, err := handler(ctx, request)
	if err != nil {
		log.Printf("%s: %v", information.FullMethod, err)
	}
	return answer, err
}

func (r *registrar) GetInfo(context.Context, *registration.InfoRequest) (*registration.PluginInfo, error) {
	return &registration.PluginInfo{
		Type:              registration.CSIPlugin,
		Name:              driverName,
		Endpoint:          r.endpoint,
		SupportedVersions: []string{"1.0.0"},
	}, nil
}

func (r *registrar) NotifyRegistrationStatus(_ context.Context, outcome *registration.RegistrationStatus) (*registration.RegistrationStatusResponse, error) {
	if !outcome.PluginRegistered {
		r.refused <- fmt.Errorf("the kubelet refuses the plugin: %s", outcome.Error)
	}
	return &registration.RegistrationStatusResponse{}, nil
}

func (n *node) GetPluginInfo(context.Context, *csi.GetPluginInfoRequest) (*csi.GetPluginInfoResponse, error) {
	return &csi.GetPluginInfoResponse{Name: driverName, VendorVersion: "stand-in"}, nil
}

func (n *node) GetPluginCapabilities(context.Context, *csi.GetPluginCapabilitiesRequest) (*csi.GetPluginCapabilitiesResponse, error) {
	return &csi.GetPluginCapabilitiesResponse{Capabilities: []*csi.PluginCapability{{
		Type: &csi.PluginCapability_VolumeExpansion_{VolumeExpansion: &csi.PluginCapability_VolumeExpansion{
			Type: csi.PluginCapability_VolumeExpansion_ONLINE,
		}},
	}}}, nil
}

func (n *node) Probe(context.Context, *csi.ProbeRequest) (*csi.ProbeResponse, error) {
	return &csi.ProbeResponse{Ready: wrapperspb.Bool(true)}, nil
}

func (n *node) NodeGetInfo(context.Context, *csi.NodeGetInfoRequest) (*csi.NodeGetInfoResponse, error) {
	return &csi.NodeGetInfoResponse{NodeId: n.id}, nil
}

func (n *node) NodeGetCapabilities(context.Context, *csi.NodeGetCapabilitiesRequest) (*csi.NodeGetCapabilitiesResponse, error) {
	answer := &csi.NodeGetCapabilitiesResponse{}
	for _, kind := range []csi.NodeServiceCapability_RPC_Type{
		csi.NodeServiceCapability_RPC_STAGE_UNSTAGE_VOLUME,
		csi.NodeServiceCapability_RPC_GET_VOLUME_STATS,
		csi.NodeServiceCapability_RPC_EXPAND_VOLUME,
		csi.NodeServiceCapability_RPC_SINGLE_NODE_MULTI_WRITER,
	} {
		answer.Capabilities = append(answer.Capabilities, &csi.NodeServiceCapability{
			Type: &csi.NodeServiceCapability_Rpc{Rpc: &csi.NodeServiceCapability_RPC{Type: kind}},
		})
	}
	return answer, nil
}

func (n *node) NodeStageVolume(_ context.Context, request *csi.NodeStageVolumeRequest) (*csi.NodeStageVolumeResponse, error) {
	volume := request.GetVolumeId()
	flags, err := mountFlags(request.GetVolumeCapability())
	if err != nil {
		return nil, err
	}
	source, err := n.source(volume)
	if err != nil {
		return nil, err
	}
	if err := bind(filepath.Join(source, dataFolder), request.GetStagingTargetPath(), flags); err != nil {
		return nil, err
	}
	return &csi.NodeStageVolumeResponse{}, nil
}

func (n *node) NodeUnstageVolume(_ context.Context, request *csi.NodeUnstageVolumeRequest) (*csi.NodeUnstageVolumeResponse, error) {
	if err := unbind(request.GetVolumeId(), request.GetStagingTargetPath()); err != nil {
		return nil, err
	}
	return &csi.NodeUnstageVolumeResponse{}, nil
}

func (n *node) NodePublishVolume(_ context.Context, request *csi.NodePublishVolumeRequest) (*csi.NodePublishVolumeResponse, error) {
	flags, err := mountFlags(request.GetVolumeCapability())
	if err != nil {
		return nil, err
	}
	if request.GetReadonly() {
		flags |= unix.MS_RDONLY
	}
	source, err := n.source(request.GetVolumeId())
	if err != nil {
		return nil, err
	}
	staging := request.GetStagingTargetPath()
	if same, err := sameFileSystem(source, staging); err != nil || !same {
		return nil, status.Errorf(codes.FailedPrecondition, "volume %s is not staged at %q", request.GetVolumeId(), staging)
	}
	if err := bind(staging, request.GetTargetPath(), flags); err != nil {
		return nil, err
	}
	return &csi.NodePublishVolumeResponse{}, nil
}

func (n *node) NodeUnpublishVolume(_ context.Context, request *csi.NodeUnpublishVolumeRequest) (*csi.NodeUnpublishVolumeResponse, error) {
	if err := unbind(request.GetVolumeId(), request.GetTargetPath()); err != nil {
		return nil, err
	}
	return &csi.NodeUnpublishVolumeResponse{}, nil
}

func (n *node) NodeGetVolumeStats(_ context.Context, request *csi.NodeGetVolumeStatsRequest) (*csi.NodeGetVolumeStatsResponse, error) {
	path := request.GetVolumePath()
	if mounted, err := isMountPoint(path); err != nil {
		return nil, status.Error(codes.Internal, err.Error())
	} else if !mounted {
		return nil, status.Errorf(codes.NotFound, "no volume is mounted at %q", path)
	}
	var found unix.Statfs_t
	if err := unix.Statfs(path, &found); err != nil {
		return nil, status.Errorf(codes.Internal, "statfs %s: %v", path, err)
	}
	block := uint64(found.Bsize)
	return &csi.NodeGetVolumeStatsResponse{Usage: []*csi.VolumeUsage{
		{
			Unit: csi.VolumeUsage_BYTES, Total: int64(found.Blocks * block), Available: int64(found.Bavail * block),
			Used: int64((found.Blocks - found.Bfree) * block),
		},
		{
			Unit: csi.VolumeUsage_INODES, Total: int64(found.Files), Available: int64(found.Ffree),
			Used: int64(found.Files - found.Ffree),
		},
	}}, nil
}

func (n *node) NodeExpandVolume(ctx context.Context, request *csi.NodeExpandVolumeRequest) (*csi.NodeExpandVolumeResponse, error) {
	volume := request.GetVolumeId()
	if err := checkName(volume); err != nil {
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	state, err := n.disks.resize(ctx, volume)
	if err != nil {
		return nil, status.Errorf(codes.Internal, "volume %s: %v", volume, err)
	}
	if wanted := request.GetCapacityRange().GetRequiredBytes(); state.Size < wanted {
		return nil, status.Errorf(codes.Internal, "volume %s has %d bytes, not %d", volume, state.Size, wanted)
	}
	if state.FileSystem+smallestGrowth <= state.Size {
		return nil, status.Errorf(codes.Unavailable,
			"the file system of volume %s has %d of %d bytes: this machine can enlarge it only while no pod uses it", volume, state.FileSystem, state.Size)
	}
	return &csi.NodeExpandVolumeResponse{CapacityBytes: state.Size}, nil
}

// source is where an attached volume is mounted.
func (n *node) source(volume string) (string, error) {
	if err := checkName(volume); err != nil {
		return "", status.Error(codes.InvalidArgument, err.Error())
	}
	path := filepath.Join(n.mounts, volume)
	mounted, err := isMountPoint(path)
	if err != nil {
		return "", status.Error(codes.Internal, err.Error())
	}
	if !mounted {
		return "", status.Errorf(codes.Unavailable, "volume %s is not attached: nothing is mounted at %s", volume, path)
	}
	return path, nil
}

var knownFlags = map[string]uintptr{
	"ro": unix.MS_RDONLY, "nosuid": unix.MS_NOSUID, "nodev": unix.MS_NODEV, "noexec": unix.MS_NOEXEC,
	"noatime": unix.MS_NOATIME, "nodiratime": unix.MS_NODIRATIME, "relatime": unix.MS_RELATIME,
}

// mountFlags are those of a volume's mount options, of which only flags of a mount can be had: the file system is mounted.
func mountFlags(capability *csi.VolumeCapability) (uintptr, error) {
	mount := capability.GetMount()
	if mount == nil {
		return 0, status.Error(codes.InvalidArgument, "the stand-in for Longhorn gives file systems only: volumeMode Block is not possible")
	}
	if kind := mount.GetFsType(); kind != "" && kind != "ext4" {
		return 0, status.Errorf(codes.InvalidArgument, "the stand-in for Longhorn gives ext4 only, not %s", kind)
	}
	var flags uintptr
	for _, option := range mount.GetMountFlags() {
		flag, known := knownFlags[option]
		if !known {
			return 0, status.Errorf(codes.InvalidArgument, "mount option %q is not possible", option)
		}
		flags |= flag
	}
	return flags, nil
}

func sameFileSystem(one, other string) (bool, error) {
	var first, second unix.Stat_t
	if err := unix.Stat(one, &first); err != nil {
		return false, err
	}
	if err := unix.Stat(other, &second); err != nil {
		return false, err
	}
	return first.Dev == second.Dev, nil
}

// bind mounts a folder on another one, which is made; once, however often it is called.
func bind(source, target string, flags uintptr) error {
	if target == "" {
		return status.Error(codes.InvalidArgument, "there is no path to mount at")
	}
	if err := os.MkdirAll(target, 0o750); err != nil {
		return status.Error(codes.Internal, err.Error())
	}
	mounted, err := isMountPoint(target)
	if err != nil {
		return status.Error(codes.Internal, err.Error())
	}
	if mounted {
		if same, err := sameFileSystem(source, target); err != nil || !same {
			return status.Errorf(codes.Internal, "something else is mounted at %s", target)
		}
	} else if err := unix.Mount(source, target, "", unix.MS_BIND, ""); err != nil {
		return status.Errorf(codes.Internal, "bind %s to %s: %v", source, target, err)
	}
	if flags == 0 {
		return nil
	}
	// Also of one that is mounted: it may have been left between the two calls.
	if err := unix.Mount("", target, "", unix.MS_REMOUNT|unix.MS_BIND|flags, ""); err != nil {
		return errors.Join(status.Errorf(codes.Internal, "remount %s: %v", target, err), unmountAll(target))
	}
	return nil
}

func unbind(volume, target string) error {
	if volume == "" || target == "" {
		return status.Error(codes.InvalidArgument, "there is no volume or no path to unmount")
	}
	if err := unmountAll(target); err != nil {
		return status.Errorf(codes.Internal, "volume %s: %v", volume, err)
	}
	return nil
}
